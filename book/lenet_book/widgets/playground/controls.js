// @ts-check
// The playground's settings: fields with steppers, one number for both axes or one for each.

import { element, uniqueId } from "../shared/elements.js";

/** @typedef {number | string} Entry a number, or what was typed instead of one */
/** @typedef {{smallest: number, largest: number}} Range of the steppers; other numbers can be typed */

/** @type {Record<string, Range>} */
export const RANGES = {
  input_size: { smallest: 1, largest: 24 },
  kernel_size: { smallest: 1, largest: 11 },
  stride: { smallest: 1, largest: 8 },
  padding: { smallest: 0, largest: 8 },
  dilation: { smallest: 1, largest: 6 },
};

const AXES = ["height", "width"];

/** One setting of the playground: a field for the height and one for the width. */
export class SizeField {
  /**
   * @param {string} name
   * @param {(axis: number, entry: Entry) => void} changed
   */
  constructor(name, changed) {
    this.range = RANGES[name];
    this.changed = changed;
    this.name = name;
    this.inputs = AXES.map((_, axis) => this.input(axis));
    this.axes = this.inputs.map((input, index) => this.stepper(input, index));
    const caption = element("span", { class: "lenet-mono setting", id: uniqueId(name) }, name);
    this.node = element("div", { class: "field", role: "group", "aria-labelledby": caption.id }, caption, ...this.axes);
  }

  /** @param {number} axis */
  input(axis) {
    const input = element("input", { class: "number", inputmode: "numeric", size: 2, autocomplete: "off" });
    input.addEventListener("input", () => this.changed(axis, this.entryIn(input)));
    input.addEventListener("keydown", (event) => {
      const change = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!change) return;
      event.preventDefault();
      this.step(axis, change);
    });
    return input;
  }

  /** @param {HTMLInputElement} input @param {number} axis */
  stepper(input, axis) {
    const button = (/** @type {string} */ sign, /** @type {number} */ change) =>
      element("button", { type: "button", class: "lenet-button", onclick: () => this.step(axis, change) }, sign);
    const letter = element("span", { class: "lenet-muted axis", "aria-hidden": "true" }, AXES[axis][0].toUpperCase());
    return element("span", { class: "stepper" }, letter, button("−", -1), input, button("+", 1));
  }

  /** @param {number} axis @param {number} change */
  step(axis, change) {
    const { smallest, largest } = this.range;
    const now = Number(this.inputs[axis].value) || 0;
    const next = Math.min(largest, Math.max(smallest, now + change));
    this.inputs[axis].value = String(next);
    this.changed(axis, next);
  }

  /** @param {HTMLInputElement} input @returns {Entry} */
  entryIn(input) {
    const text = input.value.trim();
    const value = Number(text);
    if (text === "" || Number.isNaN(value)) return text;
    if (value <= this.range.largest) return value;
    input.value = String(this.range.largest); // more cannot be drawn
    return this.range.largest;
  }

  /** @param {boolean} disabled another setting decides */
  disable(disabled) {
    for (const control of this.node.querySelectorAll("button, input")) control.toggleAttribute("disabled", disabled);
  }

  /** @param {Entry[]} entries height and width @param {boolean} square one field for both */
  show(entries, square) {
    this.node.classList.toggle("square", square);
    this.axes[1].hidden = square;
    this.axes.forEach((stepper, axis) => {
      const label = square ? this.name : `${this.name} ${AXES[axis]}`;
      const [less, input, more] = stepper.querySelectorAll("button, input");
      less.setAttribute("aria-label", `less ${label}`);
      input.setAttribute("aria-label", label);
      more.setAttribute("aria-label", `more ${label}`);
    });
    this.inputs.forEach((input, axis) => {
      const text = String(entries[axis]);
      if (input.value.trim() !== text) input.value = text;
    });
  }
}
