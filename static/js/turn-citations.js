/** Points at the passage of a citation, and opens it, while mouse or keyboard is on its number. */
function point(event) {
  const citation = event.target instanceof Element ? event.target.closest("a.citation") : null;
  for (const card of document.querySelectorAll(".card--pointed")) {
    card.classList.remove("card--pointed");
  }
  if (!citation) return;
  const number = CSS.escape(citation.textContent.trim());
  const card = citation.closest(".turn")?.querySelector(`[data-source="${number}"]`);
  if (!card) return;
  card.classList.add("card--pointed");
  const panel = card.closest(".turn__sources");
  // Only beside the answer: under it, what opens would push away what is read.
  if (panel && panel.offsetLeft > citation.closest(".turn__text").offsetLeft) {
    card.querySelector("details").open = true;
    panel.scrollTop = card.offsetTop - panel.offsetTop - 40;
  }
}

document.addEventListener("mouseover", point);
document.addEventListener("focusin", point);
