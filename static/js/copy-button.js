/** Copies `data-text`, or the text of the nearest answer: <copy-button data-label="Copy path">. */
class CopyButton extends HTMLElement {
  connectedCallback() {
    if (!navigator.clipboard || this.button) return;
    this.label = this.dataset.label ?? "Copy";
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "button button--small";
    this.button.textContent = this.label;
    this.button.addEventListener("click", () => this.copy());
    this.append(this.button);
  }

  async copy() {
    const answer = () => this.closest(".turn").querySelector(".prose").innerText;
    await navigator.clipboard.writeText(this.dataset.text ?? answer());
    this.button.textContent = "Copied";
    setTimeout(() => { this.button.textContent = this.label; }, 1500);
  }
}

customElements.define("copy-button", CopyButton);
