/** Points at the source of a citation while the mouse or the keyboard is on its number. */
function point(event) {
  const citation = event.target instanceof Element ? event.target.closest("a.citation") : null;
  for (const card of document.querySelectorAll(".card--pointed")) {
    card.classList.remove("card--pointed");
  }
  if (!citation) return;
  const number = CSS.escape(citation.textContent.trim());
  const card = citation.closest(".turn")?.querySelector(`[data-source="${number}"]`);
  card?.classList.add("card--pointed");
}

document.addEventListener("mouseover", point);
document.addEventListener("focusin", point);
