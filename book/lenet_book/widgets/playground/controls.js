// @ts-check
/** The playground's settings as the reader sees them: buttons, boxes, and fields with steppers. */
import { button, element } from "../shared/elements.js";
import { checkbox, choice, textField } from "../shared/fields.js";
import { RANGES, Settings } from "./settings.js";
import { KERNEL_NAMES, OWN_KERNEL, PICTURE_NAMES } from "./values.js";

const OPERATIONS = { conv: "Convolution", max: "Max pool", avg: "Average pool" };
const AXES = ["height", "width"];

/** @param {Settings} settings @param {() => void} chosen  hears of another picture or kernel */
export function controlsFor(settings, chosen) {
  const operations = Object.entries(OPERATIONS).map(([name, label]) =>
    button(label, () => settings.chooseOperation(/** @type {Sliding} */ (name)), { "data-operation": name }));
  const fields = Object.fromEntries(Object.keys(RANGES).map((name) => [name, sizeField(name, settings)]));
  const square = checkbox("same for height and width", (checked) => settings.setSquare(checked));
  const same = checkbox("padding='same': keep the size", (checked) => settings.save({ same: checked, position: 0 }));
  const ceil = checkbox("ceil_mode: round up", (checked) => settings.save({ ceil_mode: checked }));
  const picture = choice("picture", PICTURE_NAMES, chosen);
  const kernel = choice("kernel", [...KERNEL_NAMES, OWN_KERNEL], chosen);
  const node = element("div", { class: "lenet-settings" },
    element("div", {}, element("div", { class: "lenet-operations", role: "group", "aria-label": "operation" }, ...operations), picture.node, kernel.node),
    element("div", {}, ...[...Object.values(fields), square, same, ceil].map((part) => part.node)));
  const show = () => {
    const { operation, isSquare, isSame, ceilMode } = settings;
    for (const field of Object.values(fields)) field.show();
    for (const button of operations) button.setAttribute("aria-pressed", String(button.dataset.operation === operation));
    fields.dilation.node.hidden = operation === "avg";
    fields.padding.node.disabled = isSame;
    kernel.node.hidden = same.node.hidden = operation !== "conv";
    ceil.node.hidden = operation === "conv";
    square.box.checked = isSquare;
    same.box.checked = isSame;
    ceil.box.checked = ceilMode;
  };
  return { node, picture: picture.box, kernel: kernel.box, show };
}

/** One setting: a field for the height and one for the width. @param {string} name @param {Settings} settings */
function sizeField(name, settings) {
  const { smallest, largest } = RANGES[name];
  const next = (/** @type {string} */ text, /** @type {number} */ change) =>
    String(Math.min(largest, Math.max(smallest, (Number(text) || 0) + change)));
  /** @param {number} axis @param {string} text */
  const enter = (axis, text) => {
    const number = text.trim() ? Number(text) : NaN;
    if (number > largest) inputs[axis].value = String(largest); // more cannot be drawn
    settings.enter(name, axis, Number.isNaN(number) ? text.trim() : Math.min(number, largest));
  };
  const inputs = AXES.map((_, axis) => textField({ inputmode: "numeric", size: 2 }, (text) => enter(axis, text), next));
  const steppers = inputs.map((input, axis) => {
    const [less, more] = [-1, 1].map((change) => button(change < 0 ? "−" : "+", () => {
      input.value = next(input.value, change);
      enter(axis, input.value);
    }));
    const letter = element("span", { class: "lenet-muted lenet-axis", "aria-hidden": "true" }, AXES[axis][0].toUpperCase());
    return element("span", { class: "lenet-counter" }, letter, less, input, more);
  });
  const node = element("fieldset", { class: "lenet-field" }, element("legend", { class: "lenet-mono" }, name), ...steppers);
  const show = () => {
    const { entries: { [name]: entries }, isSquare } = settings;
    node.classList.toggle("lenet-square", isSquare); // one field for both
    steppers[1].hidden = isSquare;
    steppers.forEach((stepper, axis) => {
      const label = isSquare ? name : `${name} ${AXES[axis]}`;
      const names = [`less ${label}`, label, `more ${label}`];
      stepper.querySelectorAll("button, input").forEach((part, at) => part.setAttribute("aria-label", names[at]));
      if (inputs[axis].value.trim() !== String(entries[axis])) inputs[axis].value = String(entries[axis]);
    });
  };
  return { node, show };
}
