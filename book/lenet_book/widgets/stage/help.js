// @ts-check
/** Help that stands beside what it is about, until it is dismissed. */
import { button, element } from "../shared/elements.js";

export class Help {
  #root; #tips; #layer;
  #opener = /** @type {Element | null} */ (null);

  /** @param {HTMLElement} root @param {[node: Element, x: number, y: number, text: string][]} tips  x and y: where, in shares of what it is about */
  constructor(root, tips) {
    this.#root = root;
    this.#tips = tips.map(([node, x, y, text]) => ({ node, x, y, note: element("p", { class: "lenet-tip" }, text) }));
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
    for (const { node, x, y, note } of this.#tips) {
      const box = node.getBoundingClientRect();
      note.hidden = box.right <= place.left || box.left >= place.right || !box.width;
      note.style.left = `${Math.max(4, Math.min(box.left - place.left + x * box.width, place.width - note.offsetWidth - 4))}px`;
      note.style.top = `${Math.max(4, Math.min(box.top - place.top + y * box.height, place.height - note.offsetHeight - 4))}px`;
    }
    this.#layer.querySelector("button")?.focus();
  }
}
