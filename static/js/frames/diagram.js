/* Draws one diagram, in a frame that can do nothing else. */
const OURS = [
  "secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "htmlLabels", "flowchart",
  "theme", "themeCSS", "themeVariables", "fontFamily", "altFontFamily",
];

/** Leaves of what looks like markup only line breaks and the «kinds» of class diagrams. */
function withoutMarkup(text) {
  return text.replace(/<<\w+>>|<br\s*\/?>|<(?=[a-z!/?])/gi, (found) => (found === "<" ? "‹" : found));
}

addEventListener("message", async (event) => {
  if (event.source !== parent) return;
  const { text, dark } = event.data;
  try {
    mermaid.initialize({
      startOnLoad: false,
      secure: OURS,
      securityLevel: "strict",
      theme: dark ? "dark" : "neutral",
      htmlLabels: false,
      flowchart: { htmlLabels: false },
      maxEdges: 300,
    });
    const { svg } = await mermaid.render("Diagram", withoutMarkup(text));
    document.body.innerHTML = svg;
    document.body.style.margin = "0";
    parent.postMessage({ height: Math.ceil(document.body.scrollHeight) }, "*");
  } catch {
    parent.postMessage({ failed: true }, "*");
  }
});
parent.postMessage({ ready: true }, "*");
