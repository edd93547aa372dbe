const PATIENCE = 200;

/** Looks into a folder when it is opened, filters by path while typing, walks with the arrows. */
class FileTree extends HTMLElement {
  connectedCallback() {
    this.tree = this.querySelector(".tree");
    this.whole = [...this.tree.childNodes];
    this.field = this.querySelector("input");
    // A toggle does not bubble: it is listened for on its way down.
    this.addEventListener("toggle", (event) => this.open(event.target), true);
    this.field.addEventListener("input", () => this.filterSoon());
    this.addEventListener("keydown", (event) => this.press(event));
    const current = this.querySelector("[aria-current]");
    current?.scrollIntoView({ block: "nearest" });
  }

  async part(name, value) {
    const address = new URL(this.getAttribute("src"), location.href);
    address.search = new URLSearchParams({ [name]: value, part: "tree" });
    const answer = await fetch(address);
    if (!answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return [...page.body.childNodes];
  }

  async open(folder) {
    const link = folder.querySelector(":scope > a");
    if (!folder.open || !link || folder.dataset.asked) return;
    folder.dataset.asked = "yes";
    try {
      const inside = await this.part("folder", folder.dataset.folder);
      if (inside) link.replaceWith(...inside);
    } finally {
      delete folder.dataset.asked;
    }
  }

  filterSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.filter(this.field.value.trim()), PATIENCE);
  }

  async filter(words) {
    this.words = words;
    const found = words ? await this.part("filter", words) : this.whole;
    if (found && words === this.words) this.tree.replaceChildren(...found);
  }

  press(event) {
    const rows = [...this.querySelectorAll("summary, .tree a")].filter((row) =>
      row.checkVisibility(),
    );
    const here = rows.indexOf(document.activeElement);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      rows[Math.max(0, here + (event.key === "ArrowDown" ? 1 : -1))]?.focus();
    } else if (here >= 0 && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      this.turn(rows[here], event.key === "ArrowRight");
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Opens a folder, or closes it, or goes up to the one that it is in. */
  turn(row, opens) {
    const own = row.matches("summary") ? row.parentElement : null;
    if (own && own.open !== opens) own.open = opens;
    else if (!opens) (own ?? row).parentElement.closest("details")?.querySelector("summary").focus();
  }
}

customElements.define("file-tree", FileTree);
