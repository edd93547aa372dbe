const EVERY = 2000;

/** Shows how far work is, every two seconds, and the whole page anew when it has ended. */
class JobProgress extends HTMLElement {
  connectedCallback() {
    this.timer = setTimeout(() => this.look(), EVERY);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async look() {
    try {
      const answer = await fetch(this.getAttribute("src"), { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) {
        this.renew();
        return;
      }
      this.innerHTML = await answer.text();
      if (this.querySelector('[data-busy="no"]')) {
        this.renew();
        return;
      }
    } catch {
      // The server is restarting, perhaps; the next look will tell.
    }
    this.timer = setTimeout(() => this.look(), EVERY);
  }

  /** Loads the page anew, but never under the hands of somebody who is typing. */
  renew() {
    if (document.activeElement?.matches("input, textarea, select")) {
      this.timer = setTimeout(() => this.renew(), EVERY);
    } else {
      location.reload();
    }
  }
}

customElements.define("job-progress", JobProgress);
