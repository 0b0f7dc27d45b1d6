// @ts-check
/** ConvPlayground: a kernel slides over a small picture, with the sizes' formula in live numbers. */
import { setValue, watchValue } from "../shared/arrays.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { OWN_KEYS, announcer, element } from "../shared/elements.js";
import { refusalOf, windowsFormula, windowsNote } from "../shared/formulas.js";
import { mounting } from "../shared/mounting.js";
import { productOf } from "../shared/numbers.js";
import { Transport } from "../shared/transport.js";
import { arithmeticOf, flatIndex, unitAt } from "../stage/explanation.js";
import { kernelTable, outcomeOf, workings } from "./arithmetic.js";
import { controlsFor } from "./controls.js";
import { sceneOf } from "./scene.js";
import { Settings } from "./settings.js";
import { OWN_KERNEL, kernelOf, pictureOf, resized, resultsOf, slide } from "./values.js";

const PLAY = { shortest: 90, longest: 600, whole: 12000 }; // milliseconds of a step, and of all

class Playground {
  #model; #settings; #controls; #scene; #transport;
  #kernelTable = kernelTable((kernel) => this.#changeKernel(kernel));
  #figures = workings(this.#kernelTable.node);
  #sentence = element("p", { class: "lenet-sentence" });
  #workings = element("div", { class: "lenet-workings" }, this.#sentence, this.#figures.node, this.#kernelTable.problem);
  #rule = element("p", { class: "lenet-muted" });
  #formulas = element("p", { class: "lenet-mono lenet-live" });
  #note = element("p", { class: "lenet-leftover" });
  #problem = element("p", { class: "lenet-problem", role: "alert" });
  #code = element("code", { class: "lenet-mono" });
  #aloud = announcer();
  /** The reader's own, of the size that it was typed in. @type {Table | null} */
  #own = null;
  /** The one that slides. @type {Table} */
  #kernel = [];
  /** Down and across; none when the settings do not fit. @type {SlidingWindow[]} */
  #windows = [];
  /** @type {ReturnType<typeof slide> | null} */
  #engine = null;

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#settings = new Settings(model, () => {
      this.#transport.stop();
      this.show();
    });
    this.#controls = controlsFor(this.#settings, () => this.show());
    this.#scene = sceneOf((stop) => this.#goTo(stop), () => this.show());
    const moved = () => this.#showStop();
    this.#transport = new Transport({
      at: () => this.#position,
      last: () => this.#numStops - 1,
      go: (position) => {
        setValue(model, "position", position);
        moved(); // also where it is already: the place is read aloud
      },
      milliseconds: () => Math.min(PLAY.longest, Math.max(PLAY.shortest, PLAY.whole / this.#numStops)),
    }, { slider: "position of the window" });
    this.#transport.play.classList.add("lenet-main");
    const words = element("div", { class: "lenet-formula" }, this.#rule, this.#formulas, this.#note, this.#problem, element("p", {}, this.#code));
    this.root = element("div", { class: "lenet-widget lenet-playground", ...OWN_KEYS },
      element("div", { class: "lenet-board" }, this.#controls.node, this.#scene.from, this.#transport.node, this.#scene.to,
        words, this.#workings), this.#aloud.node);
    this.stops = [
      () => this.#transport.stop(), this.#scene.end, watchTheme(moved), watchValue(model, "position", moved), ...this.#settings.listen(),
    ];
  }

  /** @param {Table} kernel */
  #changeKernel(kernel) {
    this.#own = kernel;
    this.#controls.kernel.value = OWN_KERNEL;
    this.show();
  }

  /** @param {number[]} stop  row and column of the output, any numbers */
  #goTo(stop) {
    const inside = this.#outputShape.map((size, axis) => Math.max(0, Math.min(size - 1, stop[axis])));
    this.#transport.go(flatIndex(inside, this.#outputShape));
  }

  get #outputShape() {
    return this.#windows.map((window) => window.outputSize);
  }

  get #numStops() {
    return productOf(this.#outputShape);
  }

  get #position() {
    return Math.max(0, Math.min(this.#numStops - 1, this.#model.get("position")));
  }

  /** Show everything anew; the first time, once the widget is in the page. */
  show() {
    this.#controls.show();
    this.#rule.textContent = this.#settings.rule;
    this.#code.textContent = this.#settings.code;
    this.#windows = [];
    const refusal = refusalOf(() => {
      this.#windows = this.#settings.windows();
    });
    this.#problem.textContent = refusal && `${refusal}.`;
    this.#problem.hidden = !refusal;
    for (const part of [this.#transport.node, this.#workings, this.#formulas, this.#note]) part.hidden = Boolean(refusal);
    if (refusal) this.#showMisfit();
    else this.#showFitting(this.#windows);
  }

  /** Show how large the kernel is beside the input, as far as the settings can be drawn at all. */
  #showMisfit() {
    this.#aloud.say("");
    this.#scene.clear();
    refusalOf(() => {
      this.#draw(this.#settings.misfits(), "lenet-misfit");
    });
  }

  /** @param {SlidingWindow[]} windows */
  #showFitting(windows) {
    const picture = this.#draw(windows);
    const [rows, columns] = windows.map((window) => window.kernelSize);
    const { value } = this.#controls.kernel;
    if (value === OWN_KERNEL) this.#own ??= this.#kernel; // it comes back with the size that it was made in
    this.#kernel = this.#own && value === OWN_KERNEL ? resized(this.#own, rows, columns) : kernelOf(value, rows, columns);
    this.#kernelTable.show(this.#kernel);
    this.#engine = slide(this.#settings.operation, picture, this.#kernel, windows);
    this.#formulas.replaceChildren(...windowsFormula(windows).split(", ").map((line) => element("span", {}, line)));
    this.#note.textContent = noteText(windows);
    this.#showStop();
  }

  /** @param {SlidingWindow[]} windows @param {"" | "lenet-misfit"} [fit] */
  #draw(windows, fit) {
    const picture = pictureOf(this.#controls.picture.value, windows[0].inputSize, windows[1].inputSize);
    this.#scene.show(picture, windows, this.#settings.operation === "max" ? "−∞" : "0", fit);
    return picture;
  }

  #showStop() {
    if (!this.#windows.length || !this.#engine) return;
    const stop = unitAt(this.#position, this.#outputShape);
    const sum = /** @type {WindowSum} */ (arithmeticOf(this.#engine, 1, [0, ...stop]));
    const { words } = outcomeOf(sum);
    const [row, column] = stop;
    this.#scene.moveTo(stop, resultsOf(this.#engine), sum.kind === "conv", readTheme(this.root));
    this.#sentence.textContent = `output[${row}, ${column}]: ${words}`;
    this.#figures.show(sum);
    this.#transport.show(`output row ${row}, column ${column}`);
    if (this.#transport.isPlaying) return;
    const [top, left] = this.#windows.map((window, axis) => window.pixelsAt(stop[axis])[0]);
    this.#aloud.say(`Window at input row ${top}, column ${left}. Output row ${row}, column ${column}: ${words}. ` +
      `Output size ${this.#outputShape.join(" by ")}.`);
  }
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
