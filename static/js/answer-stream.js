import { offerCopies } from "./code-copies.js";
import { drawDiagrams } from "./diagrams.js";
import { reachScrollers } from "./scrollers.js";

/**
 * Shows an answer while it is being written: <answer-stream src="/messages/7/stream/">.
 * The server ends with the finished HTML; what streams before it is only ever text.
 */
class AnswerStream extends HTMLElement {
  connectedCallback() {
    this.turn = this.closest(".turn");
    this.text = this.part("text");
    // A fresh listener is told everything from the first piece on.
    this.text.textContent = "";
    if (this.turn.matches(":nth-child(n + 3)")) window.scrollTo(0, this.most);
    this.events = new EventSource(this.getAttribute("src"));
    this.on("status", (line) => this.say(line));
    this.on("sources", ({ html }) => { this.part("sources").innerHTML = html; });
    this.on("token", (piece) => this.follow(() => this.text.append(piece)));
    this.on("answer", (answer) => this.follow(() => this.finish(answer)));
    this.on("failed", (reason) => this.fail(reason));
    this.on("done", (state) => this.end(state));
    this.events.addEventListener("error", () => this.lose());
  }

  disconnectedCallback() {
    this.events.close();
  }

  on(name, show) {
    this.events.addEventListener(name, (event) => show(event.data ? JSON.parse(event.data) : ""));
  }

  part(name) {
    return this.turn.querySelector(`[data-part="${name}"]`);
  }

  say(line) {
    const status = this.part("status");
    status.hidden = false;
    status.textContent = line;
  }

  /** Keep the end in sight for a reader who is there, but never push the question away. */
  follow(change) {
    const page = document.scrollingElement;
    const isAtEnd = page.scrollHeight - page.scrollTop - window.innerHeight < 120;
    change();
    if (isAtEnd) page.scrollTop = Math.max(page.scrollTop, Math.min(page.scrollHeight, this.most));
  }

  get most() {
    const question = this.turn.previousElementSibling ?? this.turn;
    return question.getBoundingClientRect().top + window.scrollY - 64;
  }

  finish({ html, markdown, note, sought, sent, is_unanswered: isUnanswered }) {
    this.text.classList.remove("prose--live");
    this.text.innerHTML = html;
    this.part("markdown").content.textContent = markdown;
    this.part("sent").innerHTML = sent;
    this.part("note").textContent = note ?? "";
    this.part("note").hidden = !note;
    this.part("sought").textContent = sought ? `Searched for “${sought}”` : "";
    this.part("sought").hidden = !sought;
    if (this.part("gap")) this.part("gap").hidden = !isUnanswered;
    offerCopies(this.turn);
    drawDiagrams(this.turn);
    reachScrollers(this.turn);
  }

  fail(reason) {
    const problem = this.part("problem");
    problem.textContent = reason;
    problem.hidden = false;
    this.end("failed");
  }

  lose() {
    // The browser tries again by itself unless the server refused for good.
    if (this.events.readyState !== EventSource.CLOSED) {
      this.say("The connection was lost; trying to follow again");
      return;
    }
    this.fail("The answer can't be followed from here. Reload the page to see how far it came.");
  }

  /** It may have been stopped elsewhere: whoever reads here sees why the text ends. */
  tellOfStop() {
    const told = this.part("told");
    told.className = "turn__note";
    this.text.after(told);
    told.textContent = "This answer was stopped. What was written stays.";
  }

  end(state) {
    this.events.close();
    for (const name of ["status", "stop"]) this.part(name)?.remove();
    if (this.part("actions")) this.part("actions").hidden = false;
    if (this.part("again") && state !== "complete") this.part("again").textContent = "Ask again";
    for (const edit of document.querySelectorAll(".edit[hidden]")) edit.hidden = false;
    // The text itself is not read out while it grows; a problem speaks for itself.
    const sources = this.turn.querySelectorAll(".card").length;
    if (state === "complete") this.part("told").textContent = `The answer is there, with ${sources} sources.`;
    if (state === "stopped") this.tellOfStop();
  }
}

customElements.define("answer-stream", AnswerStream);
