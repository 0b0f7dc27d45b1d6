// @ts-check
/** The editor: a text area without a colour; exactly below it the same lines, each with a note at its end. */
import { element } from "../shared/elements.js";
import { showItems } from "./items.js";

export class Editor {
  #field;
  #lines = element("pre", { class: "lenet-lines", "aria-hidden": "true" });

  /** @param {Record<string, any>} attributes @param {(text: string, event: InputEvent) => void} typed */
  constructor(attributes, typed) {
    const plain = { spellcheck: "false", autocapitalize: "off", autocomplete: "off", autocorrect: "off", wrap: "off" };
    const oninput = (/** @type {InputEvent} */ event) => typed(this.#field.value, event);
    this.#field = element("textarea", { class: "lenet-typed", ...plain, ...attributes, oninput });
    const sheet = element("div", { class: "lenet-sheet" }, this.#lines, this.#field);
    this.node = element("div", { class: "lenet-code" }, sheet);
  }

  /** Put another text in; as if it were typed, so that the browser's own undo takes it back. @param {string} text */
  replace(text) {
    const { value } = this.#field;
    if (value === text) return;
    const most = Math.min(value.length, text.length);
    let [start, end] = [0, 0];
    while (start < most && value[start] === text[start]) start += 1;
    while (end < most - start && value.at(-1 - end) === text.at(-1 - end)) end += 1;
    this.#field.focus({ preventScroll: true });
    this.#field.setSelectionRange(start, value.length - end);
    const made = text.slice(start, text.length - end);
    document.execCommand(made ? "insertText" : "delete", false, made);
    this.set(text);
  }

  /** @param {string} text */
  set(text) {
    if (this.#field.value !== text) this.#field.value = text;
  }

  /** @param {EditorLine[]} lines */
  show(lines) {
    this.#lines.querySelector(".lenet-picked")?.classList.remove("lenet-picked");
    showItems(this.#lines, lines, ({ text, note, state }) => {
      const parts = [element("span", {}, text, "\n"), element("span", { class: "lenet-note" }, note)];
      return element("span", { class: `lenet-line lenet-${state}` }, ...parts);
    });
  }

  /** Bring a line into view. @param {number} index @param {boolean} isPicked  by the reader, who looks for it */
  reveal(index, isPicked) {
    const { node } = this;
    const lines = /** @type {HTMLElement[]} */ ([...this.#lines.children]);
    lines.forEach((line, at) => line.classList.toggle("lenet-picked", isPicked && at === index));
    const { offsetTop: top, offsetHeight: high } = lines[index];
    const isSeen = top >= node.scrollTop && top + high <= node.scrollTop + node.clientHeight;
    if (!isSeen) node.scrollTop = top - node.clientHeight / 2;
  }
}
