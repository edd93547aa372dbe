import { isTyping } from "./keys.js";

/** Walks through results with j and k; Enter opens, as for any link. */
class ResultList extends HTMLElement {
  connectedCallback() {
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  press(event) {
    if (isTyping(event) || (event.key !== "j" && event.key !== "k")) return;
    const links = [...this.querySelectorAll("[data-result]")];
    const current = links.indexOf(document.activeElement);
    const next = event.key === "j" ? current + 1 : Math.max(0, current - 1);
    const link = links[Math.min(next, links.length - 1)];
    if (!link) return;
    event.preventDefault();
    link.focus({ preventScroll: true });
    (link.closest(".hit, tr") ?? link).scrollIntoView({ block: "nearest" });
  }
}

customElements.define("result-list", ResultList);
