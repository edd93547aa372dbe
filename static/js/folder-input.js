const MOST_FILES = 200;

/** Sends the names within a folder beside its files, and says in time when there are too many. */
class FolderInput extends HTMLElement {
  connectedCallback() {
    this.folder = this.querySelector('[name="folder"]');
    this.files = this.querySelector('[name="loose"]');
    this.paths = this.querySelector('[name="paths"]');
    this.addEventListener("change", () => this.look());
  }

  look() {
    const names = [...this.folder.files].map((file) => file.webkitRelativePath || file.name);
    this.paths.value = names.join("\n");
    const count = names.length + this.files.files.length;
    const problem = this.querySelector('[data-part="problem"]');
    problem.hidden = count <= MOST_FILES;
    problem.textContent = `These are ${count} files; at most ${MOST_FILES} can be sent at once.`;
    this.folder.setCustomValidity(problem.hidden ? "" : problem.textContent);
  }
}

customElements.define("folder-input", FolderInput);
