/** Takes in files that are dropped on the page's question, or chosen, without leaving the page. */
class FileDrop extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.target = document.querySelector(".composer");
    this.outcome = this.querySelector('[data-part="outcome"]');
    this.form.addEventListener("submit", (event) => this.submit(event));
    if (!this.target) return;
    this.target.addEventListener("dragover", (event) => this.hover(event));
    this.target.addEventListener("dragleave", () => this.leave());
    this.target.addEventListener("drop", (event) => this.drop(event));
  }

  hover(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.target.classList.add("composer--dropping");
  }

  leave() {
    this.target.classList.remove("composer--dropping");
  }

  drop(event) {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    this.leave();
    this.form.elements.loose.files = event.dataTransfer.files;
    this.send();
  }

  submit(event) {
    event.preventDefault();
    this.send();
  }

  async send() {
    this.tell("Taking the files in…");
    try {
      const answer = await fetch(this.form.action, {
        method: "POST",
        body: new FormData(this.form),
        headers: { Accept: "application/json" },
      });
      this.report(await answer.json());
    } catch {
      this.tell("The files could not be taken in. Try again; those that are too large are refused.");
    }
    this.form.reset();
    this.querySelector("details").open = false;
  }

  report({ error, count, refused, url }) {
    if (error) {
      this.tell(error);
      return;
    }
    const files = count === 1 ? "1 file was" : `${count} files were`;
    this.tell([`${files} taken in and can be asked about in a moment.`, ...refused].join(" "));
    const link = document.createElement("a");
    link.href = url;
    link.textContent = "See how far it is";
    this.outcome.append(" ", link);
  }

  tell(sentence) {
    this.outcome.hidden = false;
    this.outcome.textContent = sentence;
  }
}

customElements.define("file-drop", FileDrop);
