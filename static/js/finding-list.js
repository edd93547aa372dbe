import { isTyping } from "./keys.js";

/** Walks through findings with j and k; a, d and t accept, dismiss or make a task of the one. */
class FindingList extends HTMLElement {
  connectedCallback() {
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  press(event) {
    if (isTyping(event) || event.defaultPrevented) return;
    const findings = [...this.querySelectorAll(".finding")];
    const current = findings.findIndex((one) => one.contains(document.activeElement));
    if (event.key === "j" || event.key === "k") {
      const next = event.key === "j" ? current + 1 : Math.max(0, current - 1);
      const finding = findings[Math.min(next, findings.length - 1)];
      if (!finding) return;
      event.preventDefault();
      finding.focus({ preventScroll: true });
      finding.scrollIntoView({ block: "nearest" });
      return;
    }
    const one = findings[current] ?? (findings.length === 1 ? findings[0] : undefined);
    const button = one?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (button) {
      event.preventDefault();
      button.click();
      button.closest("details")?.querySelector("select")?.focus();
    }
  }
}

customElements.define("finding-list", FindingList);
