/** Ctrl+K or ⌘K: go to a page or a project by a part of its name. */
class CommandPalette extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.field = this.querySelector("input");
    this.options = [...this.querySelectorAll('[role="option"]')];
    this.options.forEach((option, index) => {
      option.id = `PaletteOption${index}`;
    });
    this.listener = (event) => this.open(event);
    document.addEventListener("keydown", this.listener);
    this.field.addEventListener("input", () => this.filter());
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  open(event) {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (this.dialog.open) {
      this.dialog.close();
      return;
    }
    this.field.value = "";
    this.filter();
    this.dialog.showModal();
    this.field.focus();
  }

  get shown() {
    return this.options.filter((option) => !option.hidden);
  }

  filter() {
    const words = this.field.value.toLowerCase().split(/\s+/);
    for (const option of this.options) {
      const text = option.textContent.toLowerCase();
      option.hidden = !words.every((word) => text.includes(word));
    }
    this.querySelector(".palette__none").hidden = this.shown.length > 0;
    this.select(this.shown[0]);
  }

  select(chosen) {
    for (const option of this.options) {
      option.setAttribute("aria-selected", String(option === chosen));
    }
    if (chosen) {
      this.field.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else {
      this.field.removeAttribute("aria-activedescendant");
    }
  }

  press(event) {
    const shown = this.shown;
    const index = shown.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : shown.length - 1;
      this.select(shown[(index + step) % shown.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      shown[index]?.click();
    }
  }
}

customElements.define("command-palette", CommandPalette);
