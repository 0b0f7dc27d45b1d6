// @ts-check
/** Code with its changed lines marked, around the change or as a whole. */
import { button, element } from "../shared/elements.js";

const CONTEXT = 2; // lines around a change

export class Difference {
  #button;
  /** @type {string[]} */
  #lines = [];
  #whole = false;
  #code = element("code");

  constructor() {
    this.#button = button("", () => this.show(this.#lines, !this.#whole));
    const frame = element("pre", { class: "lenet-mono", role: "region", "aria-label": "the changed code" }, this.#code);
    this.node = element("div", { class: "lenet-diff" }, frame, this.#button);
  }

  /** @param {string[]} lines  each after two characters: "- " if left out, "+ " if new @param {boolean} [whole]  or only around the change */
  show(lines, whole = this.#whole) {
    [this.#lines, this.#whole] = [lines, whole];
    const changed = lines.flatMap((line, index) => (line.startsWith(" ") ? [] : [index]));
    const isNear = (/** @type {number} */ index) => whole || changed.some((at) => Math.abs(at - index) <= CONTEXT);
    const indents = lines.filter((line, index) => line.trim() && isNear(index)).map((line) => line.slice(2).search(/\S/));
    const indent = Math.min(...indents);
    const shown = lines.flatMap((line, index) => {
      if (isNear(index)) return [this.#line(line.slice(0, 2) + line.slice(2 + indent))];
      return index === 0 || isNear(index - 1) ? [element("span", { class: "lenet-gap" }, "⋯\n")] : [];
    });
    this.#code.replaceChildren(...shown);
    this.#button.textContent = whole ? "Show the change only" : "Show the whole loop";
  }

  /** @param {string} line */
  #line(line) {
    const [kind, sign] = { "-": ["removed", "−"], "+": ["added", "+"] }[line[0]] ?? [];
    if (!kind) return element("span", {}, `${line}\n`);
    const spoken = element("span", { class: "lenet-aloud" }, `${kind}: `);
    return element("span", { class: `lenet-${kind}` }, element("span", { "aria-hidden": "true" }, sign), spoken, `${line.slice(1)}\n`);
  }
}
