// @ts-check
/** ConvPlayground: a kernel slides over a small picture, with the sizes' formula in live numbers. */
import { readTheme, watchTheme } from "../shared/colours.js";
import { OWN_KEYS, announcer, element } from "../shared/elements.js";
import { refusalOf, windowsFormula, windowsNote } from "../shared/formulas.js";
import { mounting } from "../shared/mounting.js";
import { productOf } from "../shared/numbers.js";
import { Transport } from "../shared/transport.js";
import { arithmeticOf } from "../stage/explanation.js";
import { KernelTable, Workings, outcomeOf } from "./arithmetic.js";
import { Controls } from "./controls.js";
import { Scene } from "./scene.js";
import { Settings } from "./settings.js";
import { OWN_KERNEL, kernelOf, pictureOf, resized, resultsOf, slide } from "./values.js";

/** @typedef {import("../shared/arrays.js").Model} Model */
/** @typedef {import("../shared/windows.js").SlidingWindow} SlidingWindow */
/** @typedef {import("./arithmetic.js").Sum} Sum */
/** @typedef {import("./values.js").Grid} Grid */

const SHORTEST_STEP = 90; // milliseconds
const LONGEST_STEP = 600;
const WHOLE_PLAY = 12000;

class Playground {
  #model; #settings; #controls; #scene; #transport;
  #kernelTable = new KernelTable((kernel) => this.#changeKernel(kernel));
  #figures = new Workings(this.#kernelTable.node);
  #sentence = element("p", { class: "lenet-sentence" });
  #workings = element("div", { class: "lenet-workings" }, this.#sentence, this.#figures.node, this.#kernelTable.problem);
  #words = makeWords();
  #aloud = announcer();
  /** The reader's own, of the size that it was typed in. @type {Grid | null} */
  #own = null;
  /** The one that slides. @type {Grid} */
  #kernel = [];
  /** Down and across; none when the settings do not fit. @type {SlidingWindow[]} */
  #windows = [];
  /** @type {import("../stage/engine.js").Engine | null} */
  #engine = null;

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#settings = new Settings(model, () => {
      this.#transport.stop();
      this.show();
    });
    this.#controls = new Controls(this.#settings, () => this.show());
    this.#scene = new Scene((stop) => this.#goTo(stop), () => this.show());
    this.#transport = new Transport({
      at: () => this.#position,
      last: () => this.#numStops - 1,
      go: (position) => this.#move(position),
      milliseconds: () => Math.min(LONGEST_STEP, Math.max(SHORTEST_STEP, WHOLE_PLAY / this.#numStops)),
    }, { slider: "position of the window" });
    this.#transport.play.classList.add("lenet-main");
    this.root = element("div", { class: "lenet-widget lenet-playground", ...OWN_KEYS },
      element("div", { class: "lenet-board" }, this.#controls.node, this.#scene.input, this.#transport.node, this.#scene.output,
        this.#words.node, this.#workings), this.#aloud.node);
    const moved = () => this.#showStop();
    model.on("change:position", moved);
    this.stops = [
      () => this.#transport.stop(), this.#scene.stop, this.#settings.listen(), watchTheme(moved), () => model.off("change:position", moved),
    ];
  }

  // ------------------------------------------------------------------------ what the reader does

  /** @param {Grid} kernel */
  #changeKernel(kernel) {
    this.#own = kernel;
    this.#controls.kernel.box.value = OWN_KERNEL;
    this.show();
  }

  /** @param {number} position */
  #move(position) {
    this.#model.set("position", position);
    this.#model.save_changes();
    this.#showStop();
  }

  /** @param {number[]} stop  row and column of the output, any numbers */
  #goTo(stop) {
    const [row, column] = this.#windows.map(({ outputSize }, axis) => Math.max(0, Math.min(outputSize - 1, stop[axis])));
    this.#transport.go(row * this.#windows[1].outputSize + column);
  }

  // ------------------------------------------------------------------------ what is shown

  get #numStops() {
    return productOf(this.#windows.map((window) => window.outputSize));
  }

  get #position() {
    return Math.max(0, Math.min(this.#numStops - 1, this.#model.get("position")));
  }

  /** Show everything anew; the first time, once the widget is in the page. */
  show() {
    const { rule, code } = this.#settings;
    this.#controls.show();
    this.#words.rule.textContent = rule;
    this.#words.code.textContent = code;
    this.#windows = [];
    const refusal = refusalOf(() => {
      this.#windows = this.#settings.windows();
    });
    this.#words.problem.textContent = refusal && `${refusal}.`;
    this.#words.problem.hidden = !refusal;
    for (const part of [this.#transport.node, this.#workings, this.#words.formulas, this.#words.note]) part.hidden = Boolean(refusal);
    if (refusal) this.#showMisfit();
    else this.#showFitting();
  }

  /** Show how large the kernel is beside the input, as far as the settings can be drawn at all. */
  #showMisfit() {
    this.#aloud.say("");
    this.#scene.clear();
    refusalOf(() => {
      const windows = this.#settings.misfits();
      this.#scene.show(this.#picture(windows), windows, this.#padding, "lenet-misfit");
    });
  }

  #showFitting() {
    const windows = this.#windows;
    const picture = this.#picture(windows);
    this.#kernel = this.#kernelOf(windows.map((window) => window.kernelSize));
    this.#kernelTable.show(this.#kernel);
    this.#engine = slide(this.#settings.operation, picture, this.#kernel, windows);
    this.#words.formulas.replaceChildren(...windowsFormula(windows).split(", ").map((line) => element("span", {}, line)));
    this.#words.note.textContent = noteText(windows);
    this.#scene.show(picture, windows, this.#padding);
    this.#showStop();
  }

  /** @param {SlidingWindow[]} windows */
  #picture([down, across]) {
    return pictureOf(this.#controls.picture.box.value, down.inputSize, across.inputSize);
  }

  get #padding() {
    return this.#settings.operation === "max" ? "−∞" : "0";
  }

  /** The chosen kernel, in a size; the reader's own comes back with the size that it was made in. @param {number[]} size */
  #kernelOf([rows, columns]) {
    const { value } = this.#controls.kernel.box;
    if (value !== OWN_KERNEL) return kernelOf(value, rows, columns);
    this.#own ??= this.#kernel;
    return resized(this.#own, rows, columns);
  }

  #showStop() {
    if (!this.#windows.length || !this.#engine) return;
    const [down, across] = this.#windows;
    const [row, column] = [Math.floor(this.#position / across.outputSize), this.#position % across.outputSize];
    const sum = /** @type {Sum} */ (arithmeticOf(this.#engine, 1, [0, row, column]));
    this.#scene.moveTo([row, column], resultsOf(this.#engine), sum.kind === "conv", readTheme(this.root));
    this.#sentence.textContent = `output[${row}, ${column}]: ${outcomeOf(sum).words}`;
    this.#figures.show(sum);
    this.#transport.show(`output row ${row}, column ${column}`);
    if (this.#transport.isPlaying) return;
    const [[top], [left]] = [down.pixelsAt(row), across.pixelsAt(column)];
    this.#aloud.say(`Window at input row ${top}, column ${left}. Output row ${row}, column ${column}: ` +
      `${outcomeOf(sum).words}. Output size ${down.outputSize} by ${across.outputSize}.`);
  }
}

/** The formula with its numbers, what it leaves over or why it does not hold, and the layer. */
function makeWords() {
  const rule = element("p", { class: "lenet-muted" });
  const formulas = element("p", { class: "lenet-mono lenet-live" });
  const note = element("p", { class: "lenet-leftover" });
  const problem = element("p", { class: "lenet-problem", role: "alert" });
  const code = element("code", { class: "lenet-mono" });
  const node = element("div", { class: "lenet-formula" }, rule, formulas, note, problem, element("p", {}, code));
  return { node, rule, formulas, note, problem, code };
}

/** What becomes of a division that leaves something over. @param {SlidingWindow[]} windows */
function noteText(windows) {
  const note = windowsNote(windows);
  const names = windows.flatMap(({ unseenPixels }, axis) => {
    const numbers = unseenPixels.join(", ").replaceAll("-", "−");
    return numbers ? [`${["row", "column"][axis]}${unseenPixels.length > 1 ? "s" : ""} ${numbers}`] : [];
  });
  const hatched = names.length ? `No window sees what is hatched: ${names.join(" and ")}.` : "";
  return [note && `${note[0].toUpperCase()}${note.slice(1)}.`, hatched].filter(Boolean).join(" ");
}

export default { render: mounting(Playground) };
