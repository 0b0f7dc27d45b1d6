// @ts-check
/** The playground's settings as the reader sees them: buttons, boxes, and fields with steppers. */
import { button, element } from "../shared/elements.js";
import { giveUpByEscape, stepByArrows } from "../shared/fields.js";
import { RANGES } from "./settings.js";
import { KERNEL_NAMES, OWN_KERNEL, PICTURE_NAMES } from "./values.js";

/** @typedef {import("./settings.js").Entry} Entry */
/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./values.js").Operation} Operation */

const OPERATIONS = { conv: "Convolution", max: "Max pool", avg: "Average pool" };
const AXES = ["height", "width"];

export class Controls {
  #settings; #operations; #fields; #square; #same; #ceil;

  /** @param {Settings} settings @param {() => void} chosen  hears of another picture or kernel */
  constructor(settings, chosen) {
    this.#settings = settings;
    this.#operations = Object.entries(OPERATIONS).map(([name, label]) =>
      button(label, () => settings.chooseOperation(/** @type {Operation} */ (name)), { "data-operation": name }));
    this.#fields = Object.fromEntries(Object.keys(RANGES).map((name) =>
      [name, new SizeField(name, (axis, entry) => settings.enter(name, axis, entry))]));
    this.#square = checkbox("same for height and width", (checked) => settings.setSquare(checked));
    this.#same = checkbox("padding='same': keep the size", (checked) => settings.save({ same: checked, position: 0 }));
    this.#ceil = checkbox("ceil_mode: round up", (checked) => settings.save({ ceil_mode: checked }));
    this.picture = choice("picture", PICTURE_NAMES, chosen);
    this.kernel = choice("kernel", [...KERNEL_NAMES, OWN_KERNEL], chosen);
    const checks = [this.#square, this.#same, this.#ceil].map(({ node }) => node);
    const fields = Object.values(this.#fields).map(({ node }) => node);
    this.node = element("div", { class: "lenet-settings" },
      element("div", {}, element("div", { class: "lenet-operations", role: "group", "aria-label": "operation" }, ...this.#operations),
        this.picture.node, this.kernel.node),
      element("div", {}, ...fields, ...checks));
  }

  show() {
    const { operation, entries, isSquare, isSame, ceilMode } = this.#settings;
    for (const [name, field] of Object.entries(this.#fields)) field.show(entries[name], isSquare);
    for (const button of this.#operations) button.setAttribute("aria-pressed", String(button.dataset.operation === operation));
    this.#fields.dilation.node.hidden = operation === "avg";
    this.#fields.padding.node.disabled = isSame;
    this.kernel.node.hidden = operation !== "conv";
    this.#same.node.hidden = operation !== "conv";
    this.#ceil.node.hidden = operation === "conv";
    this.#square.box.checked = isSquare;
    this.#same.box.checked = isSame;
    this.#ceil.box.checked = ceilMode;
  }
}

/** @param {string} text @param {(checked: boolean) => void} changed */
function checkbox(text, changed) {
  const box = element("input", { type: "checkbox", onchange: () => changed(box.checked) });
  return { box, node: element("label", { class: "lenet-check" }, box, text) };
}

/** @param {string} text @param {string[]} names @param {() => void} changed */
function choice(text, names, changed) {
  const options = names.map((name) => element("option", {}, name));
  const box = element("select", { onchange: changed }, ...options);
  return { box, node: element("label", { class: "lenet-field" }, text, box) };
}

/** One setting: a field for the height and one for the width. */
class SizeField {
  #name; #changed; #inputs; #axes;

  /** @param {string} name @param {(axis: number, entry: Entry) => void} changed */
  constructor(name, changed) {
    this.#name = name;
    this.#changed = changed;
    this.#inputs = AXES.map((_, axis) => this.#input(axis));
    this.#axes = this.#inputs.map((input, axis) => this.#stepper(input, axis));
    this.node = element("fieldset", { class: "lenet-field" }, element("legend", { class: "lenet-mono" }, name), ...this.#axes);
  }

  /** @param {number} axis */
  #input(axis) {
    const input = element("input", { inputmode: "numeric", size: 2, autocomplete: "off" });
    input.addEventListener("input", () => this.#changed(axis, this.#entryIn(input)));
    stepByArrows(input, (change) => this.#step(axis, change));
    giveUpByEscape(input);
    return input;
  }

  /** @param {HTMLInputElement} input @param {number} axis */
  #stepper(input, axis) {
    const letter = element("span", { class: "lenet-muted lenet-axis", "aria-hidden": "true" }, AXES[axis][0].toUpperCase());
    return element("span", { class: "lenet-counter" }, letter,
      button("−", () => this.#step(axis, -1)), input, button("+", () => this.#step(axis, 1)));
  }

  /** @param {number} axis @param {number} change */
  #step(axis, change) {
    const { smallest, largest } = RANGES[this.#name];
    const input = this.#inputs[axis];
    const next = Math.min(largest, Math.max(smallest, (Number(input.value) || 0) + change));
    input.value = String(next);
    this.#changed(axis, next);
  }

  /** @param {HTMLInputElement} input @returns {Entry} */
  #entryIn(input) {
    const { largest } = RANGES[this.#name];
    const text = input.value.trim();
    const value = Number(text);
    if (text === "" || Number.isNaN(value)) return text;
    if (value <= largest) return value;
    input.value = String(largest); // more cannot be drawn
    return largest;
  }

  /** @param {Entry[]} entries  height and width @param {boolean} isSquare  one field for both */
  show(entries, isSquare) {
    this.node.classList.toggle("lenet-square", isSquare);
    this.#axes[1].hidden = isSquare;
    this.#axes.forEach((stepper, axis) => {
      const label = isSquare ? this.#name : `${this.#name} ${AXES[axis]}`;
      const [less, input, more] = stepper.querySelectorAll("button, input");
      less.setAttribute("aria-label", `less ${label}`);
      input.setAttribute("aria-label", label);
      more.setAttribute("aria-label", `more ${label}`);
    });
    this.#inputs.forEach((input, axis) => {
      if (input.value.trim() !== String(entries[axis])) input.value = String(entries[axis]);
    });
  }
}
