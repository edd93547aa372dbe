/** Lights the lines that the address names (#L10 or #L10-L20), and names those clicked on. */
class LineRange extends HTMLElement {
  connectedCallback() {
    this.listener = () => this.show(true);
    window.addEventListener("hashchange", this.listener);
    this.addEventListener("click", (event) => this.choose(event));
    this.show(true);
  }

  disconnectedCallback() {
    window.removeEventListener("hashchange", this.listener);
  }

  get asked() {
    const match = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash);
    if (!match) return null;
    const ends = [Number(match[1]), Number(match[2] ?? match[1])];
    return { start: Math.min(...ends), end: Math.max(...ends) };
  }

  show(scrolls) {
    const asked = this.asked;
    if (!asked) return;
    const lit = [...this.querySelectorAll(".line--lit")];
    const first = this.querySelector(`#L${asked.start}`);
    // A citation's address names its first line only: what the server lit around it stays.
    const isKnown = asked.start === asked.end && lit.length > 1 && lit[0] === first;
    if (!isKnown) {
      for (const line of lit) line.classList.remove("line--lit");
      for (let number = asked.start; number <= asked.end; number += 1) {
        this.querySelector(`#L${number}`)?.classList.add("line--lit");
      }
    }
    if (scrolls && first) first.scrollIntoView({ block: lit.length > 20 ? "start" : "center" });
  }

  choose(event) {
    const link = event.target.closest("a.line__no");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const number = Number(link.dataset.line);
    const from = event.shiftKey && this.asked ? this.asked.start : number;
    const [start, end] = [Math.min(from, number), Math.max(from, number)];
    const lines = start === end ? `${start}` : `${start}-${end}`;
    const hash = start === end ? `#L${start}` : `#L${start}-L${end}`;
    const address = new URL(location.href);
    address.searchParams.set("lines", lines);
    history.replaceState(null, "", `${address.pathname}${address.search}${hash}`);
    for (const line of this.querySelectorAll(".line--lit")) line.classList.remove("line--lit");
    this.show(false);
  }
}

customElements.define("line-range", LineRange);
