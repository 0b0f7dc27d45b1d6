// @ts-check
// The playground's elements, and what the reader does with them.

import { OWN_KEYS, announcer, element, uniqueId } from "../shared/elements.js";
import { KernelTable } from "./arithmetic.js";
import { RANGES, SizeField } from "./controls.js";
import { shape } from "./scene.js";
import { KERNEL_NAMES, OWN_KERNEL, PICTURE_NAMES } from "./values.js";

/**
 * @typedef {object} Actions
 * @property {(name: string) => void} choose another operation
 * @property {(name: string, axis: number, entry: number | string) => void} enter a size
 * @property {(square: boolean) => void} setSquare
 * @property {(values: Record<string, any>) => void} save
 * @property {(name: string) => void} choosePicture
 * @property {(name: string) => void} chooseKernel
 * @property {(row: number, column: number, weight: number) => void} changeWeight
 * @property {(change: number) => void} step
 * @property {() => void} playOrPause
 * @property {(position: number) => void} scrub
 * @property {(event: KeyboardEvent) => void} moveByKey
 * @property {(event: PointerEvent) => void} grab the window
 * @property {(event: PointerEvent) => void} pointAtOutput
 */

const OPERATIONS = { conv: "Convolution", max: "Max pool", avg: "Average pool" };

/** @param {Actions} actions */
export function makeView(actions) {
  const settings = makeSettings(actions);
  const scene = makePictures(actions);
  const controls = makeTransport(actions);
  const kernelTable = new KernelTable((row, column, weight) => actions.changeWeight(row, column, weight));
  const sentence = element("p", { class: "sentence" });
  const sums = element("div", { class: "sums" });
  const workings = element("div", { class: "workings" }, sentence, sums);
  const words = makeWords();
  const spoken = announcer();
  const root = element("div", { class: "lenet-widget lenet-playground", ...OWN_KEYS },
    settings.choices, scene.pictures, controls.transport, workings, words.words, spoken.node);
  return { ...settings, ...scene, ...controls, ...words, kernelTable, sentence, sums, workings, announcer: spoken, root };
}

/** @param {Actions} actions */
function makeSettings(actions) {
  const operations = Object.entries(OPERATIONS).map(([name, label]) => element("button", {
    type: "button", class: "lenet-button", "data-operation": name, onclick: () => actions.choose(name),
  }, label));
  const fields = Object.fromEntries(Object.keys(RANGES).map((name) =>
    [name, new SizeField(name, (axis, entry) => actions.enter(name, axis, entry))]));
  const squareBox = checkbox("same for height and width", (checked) => actions.setSquare(checked));
  const sameBox = checkbox("padding='same': keep the size", (checked) => actions.save({ same: checked, position: 0 }));
  const ceilBox = checkbox("ceil_mode: round up", (checked) => actions.save({ ceil_mode: checked }));
  const pictures = choice("picture", PICTURE_NAMES, (name) => actions.choosePicture(name));
  const kernels = choice("kernel", [...KERNEL_NAMES, OWN_KERNEL], (name) => actions.chooseKernel(name));
  const choices = element("div", { class: "settings" },
    element("div", { class: "strip", role: "group", "aria-label": "operation" }, ...operations),
    element("div", { class: "fields" }, ...Object.values(fields).map((field) => field.node)),
    element("div", { class: "strip" }, pictures.node, kernels.node, squareBox.node, sameBox.node, ceilBox.node));
  return { choices, operations, fields, squareBox, sameBox, ceilBox, kernels };
}

/** @param {string} text @param {(checked: boolean) => void} changed */
function checkbox(text, changed) {
  const box = element("input", { type: "checkbox", onchange: () => changed(box.checked) });
  return { box, node: element("label", { class: "check" }, box, text) };
}

/** @param {string} text @param {string[]} names @param {(name: string) => void} changed */
function choice(text, names, changed) {
  const options = names.map((name) => element("option", {}, name));
  const box = element("select", { onchange: () => changed(box.value) }, ...options);
  return { box, node: element("label", { class: "choice" }, text, box) };
}

/** @param {Actions} actions */
function makePictures(actions) {
  const input = /** @type {SVGSVGElement} */ (shape("svg", { "aria-hidden": "true", class: "input" }));
  const output = /** @type {SVGSVGElement} */ (shape("svg", { "aria-hidden": "true", class: "output" }));
  const inputSize = element("span", { class: "lenet-mono" });
  const outputSize = element("span", { class: "lenet-mono" });
  input.addEventListener("pointerdown", (event) => actions.grab(event));
  output.addEventListener("pointerdown", (event) => actions.pointAtOutput(event));
  const pictures = element("div", {
    class: "pictures", tabindex: 0, role: "application",
    "aria-label": "sliding window over the input: move it with the arrow keys",
    onkeydown: (/** @type {KeyboardEvent} */ event) => actions.moveByKey(event),
  },
  element("div", { class: "panel from" }, element("div", {}, "input ", inputSize), input),
  element("div", { class: "panel to" }, element("div", {}, "output ", outputSize), output));
  return { pictures, input, output, inputSize, outputSize, hatching: uniqueId("hatching") };
}

/** @param {Actions} actions */
function makeTransport(actions) {
  const button = (/** @type {string} */ text, /** @type {() => void} */ onclick) =>
    element("button", { type: "button", class: "lenet-button", onclick }, text);
  const back = button("‹ Back", () => actions.step(-1));
  const play = button("Play", () => actions.playOrPause());
  const next = button("Next ›", () => actions.step(1));
  play.classList.add("lenet-main");
  const slider = element("input", {
    type: "range", min: 0, "aria-label": "position of the window", oninput: () => actions.scrub(Number(slider.value)),
  });
  const transport = element("div", { class: "strip transport" }, back, play, next, slider);
  return { transport, back, play, next, slider };
}

/** The formula with its numbers, what it leaves over or why it does not hold, and the layer. */
function makeWords() {
  const rule = element("p", { class: "lenet-muted" });
  const formulas = element("p", { class: "lenet-mono live" });
  const note = element("p", { class: "leftover" });
  const problem = element("p", { class: "problem", role: "alert" });
  const code = element("code", { class: "lenet-mono" });
  const words = element("div", { class: "formula" }, rule, formulas, note, problem, element("p", {}, code));
  return { words, rule, formulas, note, problem, code };
}
