/** Everything that the pages' own elements need; each element is a file of its own. */
import "./answer-stream.js";
import "./ask-composer.js";
import "./code-copies.js";
import "./command-palette.js";
import "./copy-button.js";
import "./diagrams.js";
import "./file-drop.js";
import "./file-tree.js";
import "./finding-list.js";
import "./folder-input.js";
import "./job-progress.js";
import "./key-map.js";
import "./line-range.js";
import "./result-list.js";
import "./scrollers.js";
import "./talk-turns.js";
import "./turn-citations.js";
