// @ts-check
/** Knows which parts of a widget the reader can see, so that the others need not keep up with a pen. */

const MARGIN = "50px";

export class Sight {
  #observer;
  /** @type {Set<Element>} */
  #unseen = new Set();

  /** @param {Element[]} nodes */
  constructor(nodes) {
    this.#observer = new IntersectionObserver((entries) => entries.forEach((entry) => this.#note(entry)), { rootMargin: MARGIN });
    for (const node of nodes) this.#observer.observe(node);
  }

  /** @param {IntersectionObserverEntry} entry */
  #note({ target, isIntersecting }) {
    if (isIntersecting) this.#unseen.delete(target);
    else this.#unseen.add(target);
  }

  /** Whether a part can be seen; so it is taken to be, until the browser has told. @param {Element} node */
  sees(node) {
    return !this.#unseen.has(node);
  }

  stop() {
    this.#observer.disconnect();
  }
}
