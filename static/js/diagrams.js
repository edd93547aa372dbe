const LONGEST = 10_000;
const PATIENCE = 10_000;
const HIGHEST = 1_200;

/** Draws each block of Mermaid in a frame of its own; where that fails its text stays. */
export function drawDiagrams(root = document) {
  for (const block of root.querySelectorAll(".prose pre.code--diagram:not([data-drawn])")) {
    block.dataset.drawn = "yes";
    if (block.textContent.length <= LONGEST) draw(block);
  }
}

function draw(block) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.className = "diagram";
  frame.title = "Diagram";
  frame.loading = "lazy";
  frame.height = "200";
  let timer = 0;
  let isOver = false;
  const hear = ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data.ready) {
      // Without an origin the frame can't be named; only it has this window.
      frame.contentWindow.postMessage({ text: block.textContent, dark: isDark() }, "*");
    } else {
      end(Number.isFinite(data.height) && data.height > 0);
      if (frame.isConnected) frame.height = String(Math.min(data.height, HIGHEST));
    }
  };
  const end = (isDrawn) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    removeEventListener("message", hear);
    if (!isDrawn) {
      frame.remove();
      return;
    }
    const text = document.createElement("details");
    const summary = document.createElement("summary");
    summary.className = "muted";
    summary.textContent = "Diagram as text";
    const shown = block.closest(".code-block") ?? block;
    shown.replaceWith(text);
    text.append(summary, shown);
  };
  addEventListener("message", hear);
  // Also where what was loaded is not the frame, and never says that it is ready.
  frame.addEventListener("load", () => { timer = setTimeout(() => end(false), PATIENCE); });
  frame.src = "/diagram/";
  (block.closest(".code-block") ?? block).before(frame);
}

function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

drawDiagrams();
