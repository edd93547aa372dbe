/** Gives each block of code in an answer a button that copies it. */
export function offerCopies(root = document) {
  for (const block of root.querySelectorAll(".turn .prose pre")) {
    if (block.parentElement.matches(".code-block")) continue;
    const frame = document.createElement("div");
    frame.className = "code-block";
    const button = document.createElement("copy-button");
    button.dataset.text = block.textContent;
    button.dataset.label = "Copy code";
    block.replaceWith(frame);
    frame.append(block, button);
  }
}

offerCopies();
