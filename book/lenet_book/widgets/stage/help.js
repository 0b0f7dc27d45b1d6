// @ts-check
/** Help that stands beside what it is about, until it is dismissed. */
import { button, element } from "../shared/elements.js";

export class Help {
  #root; #tips; #layer;
  #opener = /** @type {Element | null} */ (null);

  /** @param {HTMLElement} root @param {[node: Element, text: string][]} tips */
  constructor(root, tips) {
    this.#root = root;
    this.#tips = tips.map(([node, text]) => ({ node, note: element("p", { class: "lenet-tip" }, text) }));
    const close = button("Got it", () => this.toggle());
    this.#layer = element("div", { class: "lenet-help", role: "dialog", "aria-label": "Help", hidden: true }, ...this.#tips.map(({ note }) => note), close);
    this.#layer.addEventListener("click", (event) => event.target === this.#layer && this.toggle());
    root.append(this.#layer);
  }

  get isOpen() {
    return !this.#layer.hidden;
  }

  toggle() {
    this.#layer.hidden = this.isOpen;
    if (!this.isOpen) return /** @type {HTMLElement | null} */ (this.#opener)?.focus();
    this.#opener = document.activeElement;
    const place = this.#root.getBoundingClientRect();
    for (const { node, note } of this.#tips) {
      const box = node.getBoundingClientRect();
      note.hidden = box.right <= place.left || box.left >= place.right || !box.width;
      note.style.left = `${Math.max(4, Math.min(box.left - place.left + 8, place.width - note.offsetWidth - 4))}px`;
      note.style.top = `${box.top - place.top + 8}px`;
    }
    this.#layer.querySelector("button")?.focus();
  }
}
