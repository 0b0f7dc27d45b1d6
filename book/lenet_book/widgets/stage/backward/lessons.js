// @ts-check
/** Teach it: drawings with labels to learn, training in the page, and what the network knows before and after. */
import { rateOf, rateSlider, settingsOf } from "./descent.js";
import { shortText } from "./figures.js";
import { readDigits, trainFromNothing } from "./learning.js";
import { SGD, copyOf } from "./optimizers.js";
import { Trainer } from "./training.js";
import { limitOf, signedPalette, symmetricScale } from "../maps.js";
import { Tile } from "../terms.js";
import { Chart } from "../../shared/chart.js";
import { confusionTable, frequentMistakes, paintConfusion } from "../../shared/confusion.js";
import { button, element, setText } from "../../shared/elements.js";
import { percentText } from "../../shared/text.js";

const BATCH = 32;
const MOST_STEPS = 400; // until it gives up
const SLICE_MILLISECONDS = 40; // of training between two frames
const THUMBNAIL_SIZE = 36; // CSS pixels
const MOST_FILTERS = 6;
const FROM_NOTHING = { batchSize: BATCH, rate: 0.002, seed: 1, numEpochs: 16 };

/** @typedef {{ picture: Float32Array, label: number, sign: HTMLCanvasElement }} Lesson */

/** A panel of the lessons. @param {"in" | "operation" | "out"} place @param {string} title @param {...(Node | string)} parts */
function panelOf(place, title, ...parts) {
  const heading = element("p", { class: "lenet-heading" }, element("b", {}, title));
  const room = element("div", { class: "lenet-lesson-room", tabindex: 0 }, ...parts);
  return element("section", { class: `lenet-panel lenet-lessons lenet-panel-${place}`, "aria-label": title }, heading, room);
}

export class Lessons {
  tabs = ["lessons", "training", "knows"];
  link = "";
  sentence = "Draw, say what it is, add it, and train. Then see what else has changed.";
  hint = "It learns what you show it, and nothing keeps what it knew before but the lessons themselves.";
  #state; #tell; #digits; #before; #cells; #filters; #rate;
  #trainer = /** @type {Trainer | null} */ (null);
  /** @type {Lesson[]} */
  #lessons = [];
  /** @type {number[]} */
  #losses = [];
  #score = /** @type {TestScore | null} */ (null);
  #frame = 0;
  #stopWorker = () => {};
  #tray = element("div", { class: "lenet-tray", role: "group", "aria-label": "Lessons; choose one to take it out" });
  #chart = new Chart({ title: "Loss", xLabel: "step", text: (value) => String(Number(value.toPrecision(2))) });
  #progress = element("p", { class: "lenet-outcome", role: "status" });
  #knows = element("p", { class: "lenet-knows" });
  #nothing = button("Continue from random weights", () => this.#learnFromNothing());

  /** @param {State} state @param {SideListener} tell */
  constructor(state, tell) {
    this.#state = state;
    this.#tell = tell;
    const { engine, meta, steps, input } = state;
    const { digits } = meta;
    const [mean, std] = input.statistics(0);
    const read = (/** @type {PackedDigits} */ packed) => readDigits(packed, input.shape[1], mean, std);
    this.#digits = digits ? { training: read(digits.training), test: read(digits.test) } : null;
    this.#score = this.#scoreNow();
    this.#before = state.isTaught ? this.#scoreNow(new Trainer(steps, { ...engine.arrays, ...state.start }, 1)) : this.#score;
    this.#cells = meta.classes.map(() => meta.classes.map(() => element("td")));
    this.#filters = this.#makeFilters();
    this.#rate = rateSlider(() => this.#tell.moved());
    this.nodes = this.#build();
  }

  #build() {
    const { classes, labels } = this.#state.meta;
    const asOne = classes.map((name, label) => button(name, () => this.#add(label)));
    const say = element("div", { class: "lenet-say", role: "group", "aria-label": "Add the picture as" }, "Add it as", ...asOne);
    const all = labels ? [button("Add the page's pictures", () => this.#addAll())] : [];
    const more = settingsOf(...all, button("Empty", () => this.#empty()));
    const steps = settingsOf(
      button("One step", () => this.#train(1)),
      button("Ten", () => this.#train(10)),
      button("Until it knows them", () => this.#train(MOST_STEPS), { class: "lenet-button lenet-main" }),
    );
    const rate = element("label", {}, "learning rate ", this.#rate);
    const others = settingsOf(rate, button("Reset", () => this.#tell.unteach()), ...(this.#digits ? [this.#nothing] : []));
    const confusion = element("div", { class: "lenet-confusion" }, confusionTable(classes, this.#cells, ""));
    return [
      panelOf("in", "Lessons", say, this.#tray, more),
      panelOf("operation", "Training", steps, this.#progress, this.#chart.node, others),
      panelOf("out", "What it knows", this.#knows, ...(this.#digits ? [confusion] : []), this.#filters.node),
    ];
  }

  scaleOf() {
    return undefined;
  }

  follow() {}

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#stopWorker();
  }

  get position() {
    return `taught, ${this.#losses.length} steps.`;
  }

  get aloud() {
    return `${this.#progress.textContent} ${this.#knows.textContent}`;
  }

  // ------------------------------------------------------------------------ lessons

  /** Take the present picture into the lessons. @param {number} label */
  #add(label, sample = this.#state.input.sample) {
    const { input } = this.#state;
    if (sample === input.sample && input.isBlank) return setText(this.#progress, "Draw something first.");
    const picture = input.valuesOf(sample);
    const sign = element("canvas", { "aria-hidden": "true" });
    input.paint(sign, THUMBNAIL_SIZE, sample);
    this.#lessons.push({ picture, label, sign });
    this.#tell.moved();
  }

  #addAll() {
    this.#state.meta.labels?.forEach((label, sample) => this.#add(label, sample));
  }

  #empty() {
    this.#lessons = [];
    this.#tell.moved();
  }

  // ------------------------------------------------------------------------ training

  /** Trains the stage's own weights. */
  get #own() {
    this.#trainer ??= new Trainer(this.#state.steps, this.#state.engine.arrays, BATCH);
    return this.#trainer;
  }

  /** What it says of the fixed digits. */
  #scoreNow(trainer = this.#own) {
    return this.#digits && trainer.score(this.#digits.test.pictures, this.#digits.test.labels);
  }

  /** How many lessons it knows. */
  #numKnown() {
    return this.#own.score(this.#lessons.map(({ picture }) => picture), this.#lessons.map(({ label }) => label)).numRight;
  }

  /** Take steps on the lessons, until it knows them all if there may be many. @param {number} count */
  #train(count) {
    this.stop();
    if (!this.#lessons.length) return setText(this.#progress, "Add a lesson first.");
    this.#keepAnswer();
    const optimizer = new SGD(this.#state.engine.arrays, rateOf(this.#rate));
    const last = this.#losses.length + count;
    const go = () => {
      const end = performance.now() + SLICE_MILLISECONDS;
      while (this.#losses.length < last && performance.now() < end) {
        this.#takeStep(optimizer);
        if (count === MOST_STEPS && this.#numKnown() === this.#lessons.length) return this.#finish();
      }
      if (this.#losses.length >= last) return this.#finish();
      this.#tell.changed();
      this.#frame = requestAnimationFrame(go);
    };
    go();
  }

  /** @param {SGD} optimizer */
  #takeStep(optimizer) {
    const first = (this.#losses.length * BATCH) % this.#lessons.length;
    const batch = this.#lessons.length > BATCH ? [...this.#lessons, ...this.#lessons].slice(first, first + BATCH) : this.#lessons;
    this.#losses.push(this.#own.step(batch.map(({ picture }) => picture), batch.map(({ label }) => label), optimizer));
  }

  #finish() {
    this.#frame = 0;
    this.#score = this.#scoreNow();
    const loss = shortText(this.#losses[this.#losses.length - 1]);
    setText(this.#progress, `It knows ${this.#numKnown()} of your ${this.#lessons.length} lessons; loss ${loss}.`);
    this.#tell.changed();
  }

  /** The answer now stands beside the next one. */
  #keepAnswer() {
    const { engine, steps } = this.#state;
    this.#state.before = { shares: engine.values[steps.length - 1].slice(), loss: 0 };
  }

  unteach() {
    this.stop();
    this.#losses = [];
    this.#score = this.#before;
    setText(this.#progress, "As it was when the page was opened.");
  }

  /** Forget everything, and learn the embedded digits in a worker. */
  #learnFromNothing() {
    this.stop();
    const digits = this.#digits;
    if (!digits) return;
    const { engine, steps } = this.#state;
    this.#losses = [];
    this.#keepAnswer();
    const task = { ...FROM_NOTHING, ...digits, program: steps, arrays: copyOf(engine.arrays, Object.keys(engine.arrays)) };
    this.#stopWorker = trainFromNothing(task, ({ losses, score, arrays, epoch }) => {
      this.#losses.push(...losses);
      this.#score = score;
      for (const [name, { data }] of Object.entries(arrays)) engine.arrays[name].data.set(data);
      const [count, loss] = [digits.training.labels.length, shortText(losses[losses.length - 1])];
      setText(this.#progress, `Epoch ${epoch} of ${FROM_NOTHING.numEpochs} on ${count} digits of the book: loss ${loss}.`);
      this.#tell.changed();
    });
  }

  // ------------------------------------------------------------------------ what is shown

  /** The filters of the first convolution: before, now, and what has changed. */
  #makeFilters() {
    const { steps, engine } = this.#state;
    const name = steps.find(({ kind }) => kind === "conv")?.weight;
    if (!name) return { node: element("div", {}), show: () => {} };
    const [filters, , high, wide] = engine.arrays[name].shape;
    const count = Math.min(filters, MOST_FILTERS);
    const size = engine.arrays[name].data.length / filters;
    const rows = ["before", "now", "change"].map((word) => ({ word, tiles: Array.from({ length: count }, () => new Tile(high, wide, 5)) }));
    const lines = rows.map(({ word, tiles }) => element("p", {}, element("span", {}, word), ...tiles.map(({ canvas }) => canvas)));
    const title = element("p", { class: "lenet-muted" }, "Filters of the first convolution");
    const node = element("div", { class: "lenet-filters" }, title, ...lines);
    const show = (/** @type {Theme} */ theme) => {
      const [old, now] = [this.#state.start[name].data, engine.arrays[name].data];
      const palette = signedPalette(theme);
      rows.forEach(({ tiles }, row) => {
        const values = row === 2 ? Array.from(now, (value, i) => value - old[i]) : Array.from(row ? now : old);
        const scale = symmetricScale(palette, limitOf(values));
        tiles.forEach((tile, i) => tile.paint(values.slice(i * size, i * size + high * wide), scale));
      });
    };
    return { node, show };
  }

  fit() {}

  /** @param {Theme} theme */
  show(theme) {
    const { classes } = this.#state.meta;
    this.#tray.replaceChildren(...this.#lessons.map((lesson) => {
      const out = () => {
        this.#lessons = this.#lessons.filter((other) => other !== lesson);
        this.#tell.moved();
      };
      const name = classes[lesson.label];
      const title = `Take out this ${name}`;
      return element("button", { type: "button", class: "lenet-sample", title, onclick: out }, lesson.sign, element("b", {}, name));
    }));
    this.#chart.node.hidden = !this.#losses.length;
    const steps = this.#losses.map((_, i) => i + 1);
    if (steps.length) this.#chart.show([{ name: `learning rate ${rateOf(this.#rate)}`, look: "first", xs: steps, ys: this.#losses }]);
    this.#filters.show(theme);
    if (!this.#score || !this.#before || !this.#digits) return setText(this.#knows, "");
    const count = this.#digits.test.labels.length;
    const [worst] = frequentMistakes(this.#score.confusion);
    const mistake = worst ? ` Most often, ${classes[worst[0]]} is called ${classes[worst[1]]}.` : "";
    const [before, now] = [this.#before, this.#score].map(({ numRight }) => percentText(numRight / count));
    setText(this.#knows, `Of ${count} digits that it was not taught it knew ${before}, now ${now}.${mistake}`);
    this.#cells.forEach((row, truth) => row.forEach((cell, answer) => setText(cell, String(this.#score?.confusion[truth][answer] || ""))));
    paintConfusion(this.#cells, this.#score.confusion, theme);
  }
}
