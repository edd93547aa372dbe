/** A question field: Enter asks, Shift+Enter begins a line, and one press asks once. */
class AskComposer extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.field = this.querySelector("textarea");
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.field.addEventListener("input", () => this.grow());
    this.form.addEventListener("submit", (event) => this.ask(event));
    // The page may come back from the browser's memory, with the button still off.
    window.addEventListener("pageshow", () => this.release());
    this.grow();
    // Under a conversation: ready to go on, without scrolling away from what is read.
    if (this.hasAttribute("waits") && matchMedia("(hover: hover)").matches) {
      this.field.focus({ preventScroll: true });
    }
  }

  press(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (this.field.value.trim()) this.form.requestSubmit();
  }

  grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.field.rows = Math.min(12, this.field.value.split("\n").length);
  }

  ask(event) {
    if (this.asked || !this.field.value.trim()) {
      event.preventDefault();
      return;
    }
    this.asked = true;
    this.querySelector("button").disabled = true;
  }

  release() {
    this.asked = false;
    this.querySelector("button").disabled = false;
  }
}

customElements.define("ask-composer", AskComposer);
