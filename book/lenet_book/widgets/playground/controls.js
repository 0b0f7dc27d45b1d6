// @ts-check
/** The playground's settings as the reader sees them: buttons, boxes, and fields with steppers. */
import { button, element } from "../shared/elements.js";
import { checkbox, choice, textField } from "../shared/fields.js";
import { RANGES, Settings } from "./settings.js";
import { KERNEL_NAMES, OWN_KERNEL, PICTURE_NAMES } from "./values.js";

const OPERATIONS = { conv: "Convolution", max: "Max pool", avg: "Average pool" };
const AXES = ["height", "width"];

export class Controls {
  #settings; #operations; #fields; #square; #same; #ceil;

  /** @param {Settings} settings @param {() => void} chosen  hears of another picture or kernel */
  constructor(settings, chosen) {
    this.#settings = settings;
    this.#operations = Object.entries(OPERATIONS).map(([name, label]) =>
      button(label, () => settings.chooseOperation(/** @type {Sliding} */ (name)), { "data-operation": name }));
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
    this.kernel.node.hidden = this.#same.node.hidden = operation !== "conv";
    this.#ceil.node.hidden = operation === "conv";
    this.#square.box.checked = isSquare;
    this.#same.box.checked = isSame;
    this.#ceil.box.checked = ceilMode;
  }
}

/** One setting: a field for the height and one for the width. */
class SizeField {
  #name; #range; #changed; #inputs; #steppers;

  /** @param {string} name @param {(axis: number, entry: Entry) => void} changed */
  constructor(name, changed) {
    this.#name = name;
    this.#range = RANGES[name];
    this.#changed = changed;
    this.#inputs = AXES.map((_, axis) => textField({ inputmode: "numeric", size: 2 },
      (text) => this.#enter(axis, text), (text, change) => this.#next(text, change)));
    this.#steppers = this.#inputs.map((input, axis) => this.#stepper(input, axis));
    this.node = element("fieldset", { class: "lenet-field" }, element("legend", { class: "lenet-mono" }, name), ...this.#steppers);
  }

  /** @param {HTMLInputElement} input @param {number} axis */
  #stepper(input, axis) {
    const letter = element("span", { class: "lenet-muted lenet-axis", "aria-hidden": "true" }, AXES[axis][0].toUpperCase());
    const [less, more] = [-1, 1].map((change) => button(change < 0 ? "−" : "+", () => {
      input.value = this.#next(input.value, change);
      this.#enter(axis, input.value);
    }));
    return element("span", { class: "lenet-counter" }, letter, less, input, more);
  }

  /** @param {string} text @param {number} change */
  #next(text, change) {
    const { smallest, largest } = this.#range;
    return String(Math.min(largest, Math.max(smallest, (Number(text) || 0) + change)));
  }

  /** @param {number} axis @param {string} text */
  #enter(axis, text) {
    const { largest } = this.#range;
    const number = text.trim() ? Number(text) : NaN;
    if (number > largest) this.#inputs[axis].value = String(largest); // more cannot be drawn
    this.#changed(axis, Number.isNaN(number) ? text.trim() : Math.min(number, largest));
  }

  /** @param {Entry[]} entries  height and width @param {boolean} isSquare  one field for both */
  show(entries, isSquare) {
    this.node.classList.toggle("lenet-square", isSquare);
    this.#steppers[1].hidden = isSquare;
    this.#steppers.forEach((stepper, axis) => {
      const label = isSquare ? this.#name : `${this.#name} ${AXES[axis]}`;
      const names = [`less ${label}`, label, `more ${label}`];
      stepper.querySelectorAll("button, input").forEach((part, at) => part.setAttribute("aria-label", names[at]));
    });
    this.#inputs.forEach((input, axis) => {
      if (input.value.trim() !== String(entries[axis])) input.value = String(entries[axis]);
    });
  }
}
