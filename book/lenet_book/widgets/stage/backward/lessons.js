// @ts-check
/** Teach it: drawings with labels to learn, training in the page, and what the network knows before and after. */
import { rateSlider, settingsOf } from "./descent.js";
import { Backward } from "./gradients.js";
import { readDigits, trainFromNothing } from "./learning.js";
import { SGD, Trainer, scoreOf } from "./training.js";
import { Engine, need } from "../engine.js";
import { Tile } from "../terms.js";
import { Chart } from "../../shared/chart.js";
import { confusionTable, frequentMistakes, paintConfusion } from "../../shared/confusion.js";
import { button, element, setText } from "../../shared/elements.js";
import { percentText, shortText } from "../../shared/text.js";

const BATCH = 32;
const MOST_STEPS = 400; // until it gives up
const THUMBNAIL_SIZE = 36; // CSS pixels
const FILTERS = { cell: 5, most: 6 };
const FROM_NOTHING = { batchSize: BATCH, rate: 0.002, seed: 1, numEpochs: 16 };

/** @typedef {Example & { node: HTMLElement }} Lesson */

/** A panel of the lessons. @param {"in" | "operation" | "out"} place @param {string} title @param {...(Node | string)} parts */
function panelOf(place, title, ...parts) {
  const heading = element("p", { class: "lenet-heading" }, element("b", {}, title));
  const room = element("div", { class: "lenet-lesson-room", tabindex: 0 }, ...parts);
  return element("section", { class: `lenet-panel lenet-lessons lenet-panel-${place}`, "aria-label": title }, heading, room);
}

export class Lessons {
  tabs = ["lessons", "training", "knows"];
  sentence = "Draw, say what it is, add it, and train. Then see what else has changed.";
  hint = "It learns what you show it, and nothing keeps what it knew before but the lessons themselves.";
  #state; #tell; #trainer; #digits; #before; #score; #cells;
  /** @type {Lesson[]} */
  #lessons = [];
  /** @type {number[]} */
  #losses = [];
  /** Ends the training that goes on. */
  stop = () => {};
  #tray = element("div", { class: "lenet-tray", role: "group", "aria-label": "Lessons; choose one to take it out" });
  #chart = new Chart({ title: "Loss", xLabel: "step", text: (value) => String(Number(value.toPrecision(2))) });
  #progress = element("p", { class: "lenet-outcome", role: "status" });
  #knows = element("p", { class: "lenet-knows" });
  #filters = element("div", { class: "lenet-filters" });
  #rate = rateSlider(() => this.#tell.moved());

  /** @param {State} state @param {SideListener} tell */
  constructor(state, tell) {
    this.#state = state;
    this.#tell = tell;
    const { engine, meta: { classes, digits }, steps, input, start } = state;
    this.#trainer = new Trainer(steps, engine.arrays, BATCH);
    const read = (/** @type {PackedDigits} */ packed) => readDigits(packed, input.shape[1], ...input.statistics(0));
    this.#digits = digits && { training: read(digits.training), test: read(digits.test) };
    this.#score = this.#scoreNow();
    this.#before = state.isTaught ? this.#scoreNow(new Engine(steps, { ...engine.arrays, ...start })) : this.#score;
    this.#cells = classes.map(() => classes.map(() => element("td")));
    this.nodes = this.#build();
  }

  #build() {
    const { classes, labels } = this.#state.meta;
    const asOne = classes.map((name, label) => button(name, () => this.#add(label)));
    const say = element("div", { class: "lenet-say", role: "group", "aria-label": "Add the picture as" }, "Add it as", ...asOne);
    const all = button("Add the page's pictures", () => labels?.forEach((label, sample) => this.#add(label, sample)), { hidden: !labels });
    const steps = Object.entries({ "One step": 1, Ten: 10, "Until it knows them": MOST_STEPS }).map(([name, count]) => {
      return button(name, () => this.#train(count), { class: `lenet-button ${count === MOST_STEPS ? "lenet-main" : ""}` });
    });
    const reset = button("Reset", () => this.#tell.unteach());
    const nothing = button("Continue from random weights", () => this.#learnFromNothing(), { hidden: !this.#digits });
    const confusion = element("div", { class: "lenet-confusion", hidden: !this.#digits }, confusionTable(classes, this.#cells, ""));
    return [
      panelOf("in", "Lessons", say, this.#tray, settingsOf(all, button("Empty", () => this.#choose([])))),
      panelOf("operation", "Training", settingsOf(...steps), this.#progress, this.#chart.node, settingsOf(this.#rate.node, reset, nothing)),
      panelOf("out", "What it knows", this.#knows, confusion, this.#filters),
    ];
  }

  get position() { return `taught, ${this.#losses.length} step${this.#losses.length === 1 ? "" : "s"}.`; }

  get aloud() { return `${this.#progress.textContent} ${this.#knows.textContent}`; }

  /** Take a picture into the lessons. @param {number} label */
  #add(label, sample = this.#state.input.sample) {
    const { input, meta: { classes } } = this.#state;
    if (sample === input.sample && input.isBlank) return setText(this.#progress, "Draw something first.");
    const sign = element("canvas", { "aria-hidden": "true" });
    input.paint(sign, THUMBNAIL_SIZE, sample);
    const takeOut = () => this.#choose(this.#lessons.filter((lesson) => lesson.node !== node));
    const node = button("", takeOut, { class: "lenet-sample", title: `Take out this ${classes[label]}` });
    node.append(sign, element("b", {}, classes[label]));
    this.#choose([...this.#lessons, { picture: input.valuesOf(sample), label, node }]);
  }

  /** @param {Lesson[]} lessons  from now on; training on others ends */
  #choose(lessons) {
    this.#lessons = lessons;
    this.#tray.replaceChildren(...lessons.map(({ node }) => node));
    this.#tell.moved();
  }

  // ------------------------------------------------------------------------ training

  /** What it says of the digits that it is not taught. */
  #scoreNow(engine = this.#trainer.engines[0]) { return this.#digits && scoreOf(engine, this.#digits.test); }

  /** Let another training begin; the answer now will stand beside those to come. */
  #begin() {
    const { engine, label } = this.#state;
    this.stop();
    [this.#state.before] = new Backward([engine]).run([label]);
  }

  /** Say what came of a training. @param {string} text @param {TestScore | undefined} score */
  #report(text, score) {
    this.#score = score;
    setText(this.#progress, `${text}; the loss before the last step was ${shortText(this.#losses[this.#losses.length - 1])}.`);
    this.#tell.changed();
  }

  /** Take steps on the lessons, one between two frames, until it knows them all if there may be many. @param {number} count */
  #train(count) {
    const lessons = this.#lessons;
    if (!lessons.length) return setText(this.#progress, "Add a lesson first.");
    this.#begin();
    const optimizer = new SGD(this.#state.engine.arrays, this.#rate.value());
    const last = this.#losses.length + count;
    const go = () => {
      if (lessons !== this.#lessons) return;
      const first = (this.#losses.length * BATCH) % lessons.length;
      this.#losses.push(this.#trainer.step([...lessons.slice(first), ...lessons.slice(0, first)].slice(0, BATCH), optimizer));
      const { numRight } = scoreOf(this.#trainer.engines[0], lessons);
      const isDone = this.#losses.length >= last || (count === MOST_STEPS && numRight === lessons.length);
      if (isDone) return this.#report(`It knows ${numRight} of your ${lessons.length} lessons`, this.#scoreNow());
      const frame = requestAnimationFrame(go);
      this.stop = () => cancelAnimationFrame(frame);
      this.#tell.changed();
    };
    go();
  }

  unteach() {
    this.stop();
    this.#losses = [];
    this.#score = this.#before;
    setText(this.#progress, "As it was when the page was opened.");
  }

  /** Forget everything, and learn the embedded digits in a worker. */
  #learnFromNothing() {
    const { engine, steps } = this.#state;
    const digits = need(this.#digits);
    this.#begin();
    this.#losses = [];
    this.stop = trainFromNothing({ ...FROM_NOTHING, ...digits, program: steps, arrays: engine.arrays }, ({ losses, score, arrays, epoch }) => {
      this.#losses.push(...losses);
      for (const [name, { data }] of Object.entries(arrays)) engine.arrays[name].data.set(data);
      this.#report(`Epoch ${epoch} of ${FROM_NOTHING.numEpochs} on ${digits.training.length} digits of the book`, score);
    });
  }

  // ------------------------------------------------------------------------ what is shown

  /** @param {Theme} theme */
  show(theme) {
    this.#chart.node.hidden = this.#losses.length < 2;
    const steps = this.#losses.map((_, i) => i + 1);
    if (steps.length > 1) this.#chart.show([{ name: `learning rate ${this.#rate.value()}`, look: "first", xs: steps, ys: this.#losses }]);
    this.#showFilters();
    if (this.#score) this.#showScore(this.#score, theme);
  }

  /** @param {TestScore} score @param {Theme} theme */
  #showScore({ numRight, confusion }, theme) {
    const { classes } = this.#state.meta;
    const count = need(this.#digits).test.length;
    const [worst] = frequentMistakes(confusion);
    const mistake = worst ? ` Most often, ${classes[worst[0]]} is called ${classes[worst[1]]}.` : "";
    const [before, now] = [need(this.#before).numRight, numRight].map((right) => percentText(right / count));
    setText(this.#knows, `Of ${count} digits that it was not taught it knew ${before}, now ${now}.${mistake}`);
    this.#cells.forEach((row, truth) => row.forEach((cell, answer) => setText(cell, String(confusion[truth][answer] || ""))));
    paintConfusion(this.#cells, confusion, theme);
  }

  /** The filters of the first convolution: before, now, and what has changed. */
  #showFilters() {
    const { steps, engine, start, scales } = this.#state;
    const name = steps.find(({ kind }) => kind === "conv")?.weight;
    if (!name) return;
    const { shape: [filters, channels, rows, columns], data } = engine.arrays[name];
    const [before, now] = [start[name]?.data ?? data, data].map((values) => Array.from(values));
    const lines = Object.entries({ before, now, change: now.map((value, i) => value - before[i]) }).map(([word, values]) => {
      const tiles = Array.from({ length: Math.min(filters, FILTERS.most) }, (_, filter) => {
        const first = filter * channels * rows * columns;
        return new Tile(rows, columns, FILTERS.cell).paint(values.slice(first, first + rows * columns), scales.around0(values));
      });
      return element("p", {}, element("span", {}, word), ...tiles);
    });
    this.#filters.replaceChildren(element("p", { class: "lenet-muted" }, "Filters of the first convolution"), ...lines);
  }
}
