// @ts-check
// ConvPlayground: a kernel slides over a small picture, with the sizes' formula in live numbers.

import { readTheme, watchTheme } from "../shared/colours.js";
import { element, prefersLessMotion } from "../shared/elements.js";
import { arithmetic, inWords } from "./arithmetic.js";
import { RANGES } from "./controls.js";
import { cellUnder, drawInput, drawOutput, extentOf, makeWindow } from "./scene.js";
import { KERNEL_NAMES, OWN_KERNEL, PICTURE_NAMES, kernelOf, pictureOf, slide, startOf, stopAt, unseenPixels } from "./values.js";
import { makeView } from "./view.js";
import { layerCode } from "../calculator/rows.js";
import { ShapeError, alongAxes, convWindows, poolWindows, windowsFormula, windowsNote } from "../shared/formulas.js";
import { SlidingWindow } from "../shared/windows.js";

/** @typedef {import("../shared/arrays.js").Model} Model */
/** @typedef {import("./controls.js").Entry} Entry */
/** @typedef {import("./values.js").Grid} Grid */
/** @typedef {import("./values.js").Operation} Operation */

const NAMES = Object.keys(RANGES);
const LAYERS = { conv: "Conv2d", max: "MaxPool2d", avg: "AvgPool2d" };
const FORMULAS = {
  conv: "output = ⌊(input + 2·padding − (dilation·(kernel − 1) + 1)) / stride⌋ + 1",
  avg: "output = ⌊(input + 2·padding − kernel) / stride⌋ + 1",
  same: "padding='same' adds dilation·(kernel − 1) pixels in all, an odd one behind: output = input",
};
const SMALLEST_SHARE = 0.45; // of the input's width, for the output
const MANY_CELLS = 14; // along an axis: too many for numbers on a phone
const SHORTEST_STEP = 90; // milliseconds
const LONGEST_STEP = 600;
const WHOLE_PLAY = 12000;

class Playground {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    /** @type {Record<string, Entry[]>} what is in the fields, whether it fits or not */
    this.entries = {};
    this.square = true;
    this.picture = PICTURE_NAMES[0];
    this.kernelName = KERNEL_NAMES[0];
    /** @type {Grid} */
    this.kernel = [];
    /** @type {SlidingWindow[] | null} null when the settings do not fit */
    this.windows = null;
    this.timer = 0;
    /** @type {Grid} */
    this.grid = [];
    /** @type {Grid} */
    this.results = [];
    this.saving = false;
    this.view = makeView(this);
    this.frame = makeWindow([]);
    el.append(this.view.root);
    this.readModel();
  }

  // ---------------------------------------------------------------- settings

  /** @param {string} name */
  choosePicture(name) {
    this.picture = name;
    this.show();
  }

  /** @param {string} name */
  chooseKernel(name) {
    this.kernelName = name;
    this.show();
  }

  /** @param {number} row @param {number} column @param {number} weight */
  changeWeight(row, column, weight) {
    this.kernel = this.kernel.map((line, y) => line.map((old, x) => (y === row && x === column ? weight : old)));
    this.kernelName = OWN_KERNEL;
    this.show();
  }

  /** @returns {Operation} */
  get operation() {
    return this.model.get("operation");
  }

  readModel() {
    for (const name of NAMES) {
      const held = this.entries[name]?.every(Number.isInteger);
      if (held !== false) this.entries[name] = [...this.model.get(name)];
    }
    if (NAMES.some((name) => this.entries[name][0] !== this.entries[name][1])) this.square = false;
    this.show();
  }

  /** @param {string} name */
  choose(name) {
    const stride = name === "conv" ? [1, 1] : this.entries.kernel_size.map((size) => Number(size) || 1);
    const settings = { operation: name, stride, position: 0 };
    this.entries.stride = [...stride];
    if (name === "conv") this.save({ ...settings, ceil_mode: false });
    else this.save({ ...settings, same: false, ...(name === "avg" ? { dilation: [1, 1] } : {}) });
  }

  /** @param {string} name @param {number} axis @param {Entry} entry */
  enter(name, axis, entry) {
    const now = this.entries[name];
    this.entries[name] = this.square ? [entry, entry] : now.map((old, index) => (index === axis ? entry : old));
    if (this.entries[name].every(Number.isInteger)) this.save({ [name]: [...this.entries[name]], position: 0 });
    else this.show();
  }

  /** @param {boolean} square */
  setSquare(square) {
    this.square = square;
    if (!square) return this.show();
    for (const name of NAMES) this.entries[name] = [this.entries[name][0], this.entries[name][0]];
    return this.save(Object.fromEntries(NAMES.map((name) => [name, [...this.entries[name]]])));
  }

  /** @param {Record<string, any>} values */
  save(values) {
    this.pause();
    this.saving = true;
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.save_changes();
    this.saving = false;
    for (const name of NAMES) if (name in values) this.entries[name] = [...values[name]];
    this.show();
  }

  /** Does the padding keep the size, whatever number stands in its field? @returns {boolean} */
  get isSame() {
    return Boolean(this.model.get("same")) && this.operation === "conv";
  }

  /** @returns {SlidingWindow[]} */
  layOut() {
    const { input_size, kernel_size, stride, dilation } = /** @type {Record<string, number[]>} */ (this.entries);
    const padding = this.isSame ? "same" : /** @type {number[]} */ (this.entries.padding);
    return this.operation === "conv" ? convWindows(input_size, kernel_size, stride, padding, dilation)
      : poolWindows(input_size, kernel_size, stride, /** @type {number[]} */ (padding), dilation, this.model.get("ceil_mode"));
  }

  // ---------------------------------------------------------------- showing

  show() {
    for (const name of NAMES) this.view.fields[name].show(this.entries[name], this.square);
    for (const button of this.view.operations) {
      button.setAttribute("aria-pressed", String(button.dataset.operation === this.operation));
    }
    this.view.fields.dilation.node.hidden = this.operation === "avg";
    this.view.kernels.node.hidden = this.operation !== "conv";
    this.view.ceilBox.node.hidden = this.operation === "conv";
    this.view.sameBox.node.hidden = this.operation !== "conv";
    this.view.sameBox.box.checked = this.isSame;
    this.view.fields.padding.disable(this.isSame);
    this.view.ceilBox.box.checked = this.model.get("ceil_mode");
    this.view.squareBox.box.checked = this.square;
    const rule = this.operation === "avg" ? FORMULAS.avg : this.isSame ? FORMULAS.same : FORMULAS.conv;
    this.view.rule.textContent = this.model.get("ceil_mode") ? rule.replace("⌊", "⌈").replace("⌋", "⌉") : rule;
    try {
      this.windows = this.layOut();
      this.view.problem.textContent = "";
      this.showFitting(this.windows);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.windows = null;
      this.showProblem(error.message);
    }
    for (const part of [this.view.transport, this.view.workings, this.view.formulas, this.view.note]) part.hidden = !this.windows;
    this.view.problem.hidden = Boolean(this.windows);
    this.view.code.textContent = this.codeText();
  }

  codeText() {
    const { kernel_size, stride, dilation } = /** @type {Record<string, number[]>} */ (this.entries);
    const padding = this.isSame ? "same" : /** @type {number[]} */ (this.entries.padding);
    const given = { in_channels: 1, out_channels: 1, bias: true, kernel_size, stride, padding, dilation };
    return `nn.${layerCode(LAYERS[this.operation], { ...given, ceil_mode: this.model.get("ceil_mode") })}`;
  }

  /** @param {SlidingWindow[]} windows */
  showFitting(windows) {
    const [rows, columns] = windows.map((window) => window.kernelSize);
    if (this.kernelName !== OWN_KERNEL || this.kernel.length !== rows || this.kernel[0].length !== columns) {
      if (this.kernelName === OWN_KERNEL) this.kernelName = KERNEL_NAMES[0];
      this.kernel = kernelOf(this.kernelName, rows, columns);
    }
    this.view.kernels.box.value = this.kernelName;
    this.view.kernelTable.show(this.kernel);
    this.grid = pictureOf(this.picture, windows[0].inputSize, windows[1].inputSize);
    this.results = slide(this.operation, this.grid, this.kernel, windows);
    this.view.formulas.replaceChildren(...this.formulaLines(windows));
    this.view.note.textContent = this.noteText(windows);
    this.view.slider.max = String(this.numPositions - 1);
    this.drawInput(windows);
    this.showPosition();
  }

  /** @param {SlidingWindow[]} windows */
  formulaLines(windows) {
    return windowsFormula(windows).split(", ").map((line) => element("span", {}, line));
  }

  /** What becomes of a division that leaves something over. @param {SlidingWindow[]} windows */
  noteText(windows) {
    const note = windowsNote(windows);
    const unseen = windows.map(unseenPixels);
    const names = ["row", "column"].flatMap((axis, index) => {
      const numbers = unseen[index].join(", ").replaceAll("-", "−");
      return numbers ? [`${axis}${unseen[index].length > 1 ? "s" : ""} ${numbers}`] : [];
    });
    const hatched = names.length ? `No window sees what is hatched: ${names.join(" and ")}.` : "";
    return [note && `${note[0].toUpperCase()}${note.slice(1)}.`, hatched].filter(Boolean).join(" ");
  }

  /** Show how large the kernel is beside the input, as far as the settings can be drawn at all. @param {string} message */
  showProblem(message) {
    this.pause();
    this.view.problem.textContent = `${message}.`;
    this.view.announcer.say("");
    this.view.output.replaceChildren();
    this.view.outputSize.textContent = "none";
    const { input_size, kernel_size, stride, padding, dilation } = /** @type {Record<string, number[]>} */ (this.entries);
    try {
      const windows = alongAxes({ input_size, kernel_size, stride, padding, dilation })
        .map(([size, kernel, step, pad, gap]) => new SlidingWindow(size, kernel, step, 2 * pad, gap));
      this.grid = pictureOf(this.picture, windows[0].inputSize, windows[1].inputSize);
      this.drawInput(windows);
      this.frame.classList.add("misfit");
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.view.input.replaceChildren();
      this.view.inputSize.textContent = "";
    }
  }

  /** @param {SlidingWindow[]} windows */
  drawInput(windows) {
    drawInput(this.view.input, this.grid, windows, this.operation === "max" ? "−∞" : "0", this.view.hatching);
    this.frame = makeWindow(windows);
    this.view.input.append(this.frame);
    const padded = windows.map((window) => window.inputSize + window.padding).join("×");
    const own = windows.map((window) => window.inputSize).join("×");
    this.view.inputSize.textContent = padded === own ? own : `${own}, padded ${padded}`;
    const [, , height, width] = extentOf(windows);
    const [rows, columns] = windows.map((window) => Math.max(1, window.outputSize));
    this.view.pictures.style.setProperty("--input", `${width}`);
    this.view.pictures.style.setProperty("--output", `${Math.max(columns, SMALLEST_SHARE * width)}`);
    this.view.pictures.classList.toggle("dense", Math.max(width, height) > MANY_CELLS);
    this.view.input.style.aspectRatio = `${width} / ${height}`;
    this.view.output.style.aspectRatio = `${columns} / ${rows}`;
  }

  get numPositions() {
    return this.windows ? this.windows[0].outputSize * this.windows[1].outputSize : 0;
  }

  get position() {
    return Math.max(0, Math.min(this.numPositions - 1, this.model.get("position")));
  }

  /** Row and column of the output at the present position. */
  get place() {
    const columns = this.windows?.[1].outputSize ?? 1;
    return [Math.floor(this.position / columns), this.position % columns];
  }

  showPosition() {
    if (!this.windows) return;
    const [row, column] = this.place;
    const [down, across] = this.windows;
    const stop = stopAt(this.operation, this.grid, this.kernel, this.windows, [row, column]);
    this.frame.style.transform = `translate(${column * across.stride}px, ${row * down.stride}px)`;
    const { results } = this;
    drawOutput(this.view.output, results, this.position, this.operation === "conv", readTheme(this.view.root));
    this.view.outputSize.textContent = `${results.length}×${results[0].length}`;
    this.view.sentence.textContent = `output[${row}, ${column}]: ${inWords(this.operation, stop)}`;
    this.view.sums.style.setProperty("--figures", `${across.kernelSize}`);
    this.view.sums.replaceChildren(...arithmetic(this.operation, stop, this.view.kernelTable.node));
    this.view.slider.value = String(this.position);
    this.view.slider.setAttribute("aria-valuetext", `output row ${row}, column ${column}`);
    this.view.back.disabled = this.position === 0;
    this.view.next.disabled = this.position === this.numPositions - 1;
    const top = row * down.stride - startOf(down);
    const left = column * across.stride - startOf(across);
    if (!this.timer) {
      this.view.announcer.say(`Window at input row ${top}, column ${left}. Output row ${row}, column ${column}: ` +
        `${inWords(this.operation, stop)}. Output size ${results.length} by ${results[0].length}.`);
    }
  }

  // ---------------------------------------------------------------- moving

  /** @param {number} position */
  goTo(position) {
    this.model.set("position", Math.max(0, Math.min(this.numPositions - 1, Math.round(position))));
    this.model.save_changes();
    this.showPosition();
  }

  /** @param {number} change */
  step(change) {
    this.pause();
    this.goTo(this.position + change);
  }

  /** @param {number} position */
  scrub(position) {
    this.pause();
    this.goTo(position);
  }

  playOrPause() {
    if (this.timer) this.pause();
    else this.start();
  }

  start() {
    if (this.position === this.numPositions - 1) this.goTo(0);
    const pause = Math.min(LONGEST_STEP, Math.max(SHORTEST_STEP, WHOLE_PLAY / this.numPositions));
    this.view.play.textContent = "Pause";
    this.timer = window.setInterval(() => {
      this.goTo(this.position + 1);
      if (this.position === this.numPositions - 1) this.pause();
    }, pause);
  }

  pause() {
    if (!this.timer) return;
    window.clearInterval(this.timer);
    this.timer = 0;
    this.view.play.textContent = "Play";
    this.showPosition();
  }

  /** @param {number} row @param {number} column of the output, any number */
  goToPlace(row, column) {
    if (!this.windows) return;
    const [rows, columns] = this.windows.map((window) => window.outputSize);
    const within = (/** @type {number} */ value, /** @type {number} */ end) => Math.max(0, Math.min(end - 1, value));
    this.goTo(within(row, rows) * columns + within(column, columns));
  }

  /** @param {KeyboardEvent} event */
  moveByKey(event) {
    const [row, column] = this.place;
    const to = {
      ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1], ArrowDown: [row + 1, column], ArrowUp: [row - 1, column],
      Home: [0, 0], End: [Infinity, Infinity],
    }[event.key];
    if (!to || !this.windows) return;
    event.preventDefault();
    this.pause();
    this.goToPlace(to[0], to[1]);
  }

  /** Take hold of the window, and let it follow the pointer. @param {PointerEvent} event */
  grab(event) {
    if (!this.windows || event.button) return;
    this.pause();
    const follow = (/** @type {PointerEvent} */ moved) => this.centreOn(cellUnder(this.view.input, moved));
    const release = () => this.view.input.removeEventListener("pointermove", follow);
    this.view.input.setPointerCapture(event.pointerId);
    this.view.input.addEventListener("pointermove", follow);
    this.view.input.addEventListener("pointerup", release, { once: true });
    this.view.input.addEventListener("pointercancel", release, { once: true });
    follow(event);
  }

  /** @param {number[]} cell row and column on the input, with fractions */
  centreOn(cell) {
    const windows = /** @type {SlidingWindow[]} */ (this.windows);
    const [row, column] = windows.map((window, axis) =>
      Math.round((cell[axis] + startOf(window) - window.span / 2) / window.stride));
    this.goToPlace(row, column);
  }

  /** @param {PointerEvent} event */
  pointAtOutput(event) {
    if (!this.windows || event.button) return;
    this.pause();
    const [row, column] = cellUnder(this.view.output, event).map(Math.floor);
    this.goToPlace(row, column);
  }
}

/** @param {{ model: Model, el: HTMLElement }} context */
function render({ model, el }) {
  const playground = new Playground(model, el);
  playground.view.root.classList.toggle("still", prefersLessMotion());
  const read = () => {
    if (!playground.saving) playground.readModel();
  };
  const moved = () => playground.showPosition();
  const settings = [...NAMES, "operation", "ceil_mode", "same"];
  for (const name of settings) model.on(`change:${name}`, read);
  model.on("change:position", moved);
  const unwatch = watchTheme(moved);
  return () => {
    playground.pause();
    unwatch();
    for (const name of settings) model.off(`change:${name}`, read);
    model.off("change:position", moved);
  };
}

export default { render };
