/** Lets the keyboard reach what scrolls sideways or within itself, and nothing else. */
export function reachScrollers(root = document) {
  for (const box of root.querySelectorAll("pre, .scroll")) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (scrolls && !box.hasAttribute("tabindex")) box.tabIndex = 0;
  }
}

reachScrollers();
addEventListener("resize", () => reachScrollers());
document.addEventListener("toggle", (event) => reachScrollers(event.target), true);
