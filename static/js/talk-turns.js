import { isTyping } from "./keys.js";

/** A conversation under the keyboard: j and k go from turn to turn, [ and ] through the sources. */
class TalkTurns extends HTMLElement {
  connectedCallback() {
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
    this.addEventListener("click", (event) => this.step(event));
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  press(event) {
    if (isTyping(event) || event.defaultPrevented) return;
    const turns = [...this.querySelectorAll(".turn")];
    const at = turns.findIndex((turn) => turn.contains(document.activeElement));
    const nearest = at < 0 ? turns.length - 1 : at;
    if (event.key === "j" || event.key === "k") {
      const next = at < 0 ? nearest : at + (event.key === "j" ? 1 : -1);
      turns[next]?.focus({ preventScroll: true });
      turns[next]?.scrollIntoView({ block: "start" });
    } else if (event.key === "[" || event.key === "]") {
      const answer = turns[nearest]?.matches(".turn--answer") ? turns[nearest] : turns[nearest + 1];
      if (answer) openSource(answer, event.key === "]" ? 1 : -1);
    }
  }

  step(event) {
    const button = event.target.closest?.("[data-step]");
    if (button) openSource(button.closest(".turn"), Number(button.dataset.step));
  }
}

/** Open the source after the open one, or the one before it, and no other. */
function openSource(turn, step) {
  const cards = [...turn.querySelectorAll(".card > details")];
  if (!cards.length) return;
  const last = cards.findLastIndex((card) => card.open);
  const next = cards[Math.max(0, Math.min(cards.length - 1, last + step))];
  for (const card of cards) card.open = card === next;
  next.querySelector("summary").focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

customElements.define("talk-turns", TalkTurns);
