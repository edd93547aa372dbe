import { isTyping } from "./keys.js";

const PATIENCE = 1200;

/** Keys that work on every page: / and ? and g followed by a letter; Esc leaves a field. */
class KeyMap extends HTMLElement {
  connectedCallback() {
    this.goesUntil = 0;
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  press(event) {
    if (event.key === "Escape") {
      this.leave();
      return;
    }
    if (isTyping(event) || event.defaultPrevented) return;
    if (event.timeStamp < this.goesUntil) {
      this.goesUntil = 0;
      this.go(event);
    } else if (event.key === "g") {
      this.goesUntil = event.timeStamp + PATIENCE;
    } else if (event.key === "/") {
      this.search(event);
    } else if (event.key === "?") {
      location.assign("/help/");
    }
  }

  go(event) {
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
  }

  search(event) {
    const field = document.getElementById("PageSearch") ?? document.getElementById("TopSearch");
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  }

  leave() {
    const open = [...document.querySelectorAll("details.menu[open], details.switcher[open]")];
    for (const details of open) {
      // What has the focus is about to be hidden: the next key goes on from the button.
      if (details.contains(document.activeElement)) details.querySelector("summary").focus();
      details.open = false;
    }
    if (!open.length && document.activeElement instanceof HTMLElement) {
      document.activeElement.blur();
    }
  }
}

customElements.define("key-map", KeyMap);
