/** Copies `data-text`, or the nearest answer as markdown: <copy-button data-label="Copy path">. */
class CopyButton extends HTMLElement {
  connectedCallback() {
    if (!navigator.clipboard || this.button) return;
    this.label = this.dataset.label ?? "Copy";
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = `button button--${this.dataset.kind ?? "small"}`;
    this.button.textContent = this.label;
    this.button.addEventListener("click", () => this.copy());
    this.append(this.button);
  }

  get text() {
    const answer = () => this.closest(".turn").querySelector('[data-part="markdown"]');
    return this.dataset.text ?? answer().content.textContent;
  }

  async copy() {
    await navigator.clipboard.writeText(this.text);
    this.button.textContent = "Copied";
    setTimeout(() => { this.button.textContent = this.label; }, 1500);
  }
}

customElements.define("copy-button", CopyButton);
