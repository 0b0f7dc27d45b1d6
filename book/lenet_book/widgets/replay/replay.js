// @ts-check
/** TrainingReplay: wind a recorded training back and forth, and watch everything that changes. */
import { Chart } from "../shared/chart.js";
import { ConfusionTable } from "./confusion.js";
import { Filters } from "./filters.js";
import { AnsweredPictures } from "./pictures.js";
import { readArrays } from "../shared/arrays.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { OWN_KEYS, announcer, element } from "../shared/elements.js";
import { mounting } from "../shared/mounting.js";
import { numberText, percentText } from "../shared/text.js";
import { Transport } from "../shared/transport.js";

const PLAY_MILLISECONDS = 700;
const WIDEST_FILTERS = 420; // CSS pixels

/** The part of an array that belongs to one epoch, as rows. @param {Tensor} tensor @param {number} epoch @returns {number[][]} */
function rowsAt({ shape: [, height, width], data }, epoch) {
  const start = epoch * height * width;
  return Array.from({ length: height }, (_, row) =>
    Array.from(data.subarray(start + row * width, start + (row + 1) * width)));
}

class Replay {
  #model; #arrays; #last; #transport; #charts; #filters; #confusion; #pictures;
  /** @type {ReplayMeta} */
  #meta;
  #aloud = announcer();
  #place = element("span", { class: "lenet-place" });

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#meta = model.get("meta");
    this.#arrays = readArrays(model);
    this.#last = this.#meta.scores.length - 1;
    this.#transport = this.#makeTransport();
    this.#charts = this.#makeCharts();
    this.#filters = new Filters(this.#arrays.filters, this.#meta.layer, this.#meta.numFilters);
    this.#confusion = new ConfusionTable(this.#meta.classes);
    this.#pictures = new AnsweredPictures(this.#arrays.pictures, this.#meta.labels, this.#meta.classes);
    this.root = this.#build();
    this.stops = this.#listen();
  }

  get #epoch() {
    return Math.min(Math.max(this.#model.get("epoch"), 0), this.#last);
  }

  // ------------------------------------------------------------------------ parts

  #build() {
    const { loss, accuracy } = this.#charts;
    const name = `Training of ${this.#meta.model}, epoch by epoch`;
    return element("div", { class: "lenet-widget lenet-replay", role: "group", "aria-label": name, ...OWN_KEYS },
      this.#transport.node,
      element("div", { class: "lenet-parts" },
        element("div", { class: "lenet-charts" }, loss.node, accuracy.node), this.#confusion.node, this.#filters.node, this.#pictures.node),
      this.#aloud.node);
  }

  #makeTransport() {
    const walk = { at: () => this.#epoch, last: () => this.#last, milliseconds: () => PLAY_MILLISECONDS };
    const transport = new Transport({ ...walk, go: (epoch) => this.#go(epoch) }, { slider: "epoch" });
    transport.play.classList.add("lenet-main");
    transport.node.append(this.#place);
    return transport;
  }

  #makeCharts() {
    const { scores, classes } = this.#meta;
    const options = { xLabel: "epoch", onPoint: (/** @type {number} */ x) => this.#transport.go(Math.round(x)) };
    const charts = {
      loss: new Chart({ ...options, title: "Loss", text: (value) => numberText(value, value % 1 ? 1 : 0), exact: (value) => numberText(value, 3), guide: { at: Math.log(classes.length), name: "guessing" } }),
      accuracy: new Chart({ ...options, title: "Accuracy", top: 1, text: (value) => percentText(value, 0), exact: percentText, guide: { at: 1 / classes.length, name: "guessing" } }),
    };
    const xs = scores.map((_, epoch) => epoch);
    Object.values(charts).forEach((chart, which) => chart.show([
      { name: "test", look: "first", xs, ys: scores.map(({ test }) => test[which]) },
      { name: "training", look: "second dashed", xs, ys: scores.map(({ train }) => train[which]) },
    ]));
    return charts;
  }

  #listen() {
    const changed = () => this.show();
    this.#model.on("change:epoch", changed);
    const resized = new ResizeObserver(() => this.#layOut());
    resized.observe(this.root);
    return [
      () => this.#model.off("change:epoch", changed),
      () => resized.disconnect(),
      () => this.#transport.stop(),
      watchTheme(() => this.show()),
    ];
  }

  // ------------------------------------------------------------------------ what the reader does

  /** @param {number} epoch */
  #go(epoch) {
    this.#model.set("epoch", epoch);
    this.#model.save_changes();
  }

  // ------------------------------------------------------------------------ what is shown

  #layOut() {
    for (const chart of Object.values(this.#charts)) chart.draw();
    this.#drawFilters();
  }

  #drawFilters() {
    const room = Math.min(WIDEST_FILTERS, this.#filters.node.clientWidth);
    if (room > 0) this.#filters.draw(this.#epoch, readTheme(this.root), room);
  }

  show() {
    const epoch = this.#epoch;
    this.#place.textContent = epoch === 0 ? "before training" : `epoch ${epoch} of ${this.#last}`;
    this.#transport.show(this.#place.textContent);
    for (const chart of Object.values(this.#charts)) chart.mark(epoch);
    this.#confusion.show(rowsAt(this.#arrays.confusion, epoch));
    this.#confusion.paint(readTheme(this.root));
    this.#pictures.show(rowsAt(this.#arrays.probabilities, epoch));
    this.#drawFilters();
    if (!this.#transport.isPlaying) this.#aloud.say(this.#inWords());
  }

  #inWords() {
    const { train, test } = this.#meta.scores[this.#epoch];
    const score = (/** @type {Score} */ [loss, accuracy]) => `loss ${numberText(loss, 3)}, accuracy ${percentText(accuracy)}`;
    return `${this.#place.textContent}. Test: ${score(test)}. Training: ${score(train)}. ${this.#confusion.inWords()}`;
  }
}

export default { render: mounting(Replay) };
