// @ts-check
/** TrainingReplay: wind a recorded training back and forth, and watch everything that changes. */
import { trainingCharts } from "../shared/chart.js";
import { ConfusionTable } from "./confusion.js";
import { Filters } from "./filters.js";
import { AnsweredPictures } from "./pictures.js";
import { partOf, readArrays, setValue, watchValue } from "../shared/arrays.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { OWN_KEYS, announcer, element, watchSize } from "../shared/elements.js";
import { mounting } from "../shared/mounting.js";
import { numberText, percentText } from "../shared/text.js";
import { Transport } from "../shared/transport.js";

const PLAY_MILLISECONDS = 700;
const WIDEST_FILTERS = 420; // CSS pixels

/** The part of an array that belongs to one epoch, as rows. @param {Tensor} tensor @param {number} epoch @returns {number[][]} */
function rowsAt(tensor, epoch) {
  const rows = { shape: tensor.shape.slice(1), data: partOf(tensor, epoch) };
  return Array.from({ length: rows.shape[0] }, (_, row) => [...partOf(rows, row)]);
}

class Replay {
  #model; #meta; #arrays; #last; #transport; #charts; #filters; #confusion; #pictures;
  #aloud = announcer();
  #place = element("span", { class: "lenet-place" });

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#meta = /** @type {ReplayMeta} */ (model.get("meta"));
    this.#arrays = readArrays(model);
    this.#last = this.#meta.scores.length - 1;
    this.#transport = this.#makeTransport();
    this.#charts = this.#makeCharts();
    this.#filters = new Filters(this.#arrays.filters, this.#meta.layer, this.#meta.numFilters);
    this.#confusion = new ConfusionTable(this.#meta.classes);
    this.#pictures = new AnsweredPictures(this.#arrays.pictures, this.#meta.labels, this.#meta.classes);
    this.root = this.#build();
    this.stops = [
      watchValue(model, "epoch", () => this.show()),
      watchSize(this.root, () => this.#layOut()),
      watchTheme(() => this.show()),
      () => this.#transport.stop(),
    ];
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
    const go = (/** @type {number} */ epoch) => setValue(this.#model, "epoch", epoch);
    const walk = { at: () => this.#epoch, last: () => this.#last, go, milliseconds: () => PLAY_MILLISECONDS };
    const transport = new Transport(walk, { slider: "epoch" });
    transport.play.classList.add("lenet-main");
    transport.node.append(this.#place);
    return transport;
  }

  #makeCharts() {
    const { scores, classes } = this.#meta;
    const both = { xLabel: "epoch", onPoint: (/** @type {number} */ x) => this.#transport.go(Math.round(x)) };
    const loss = { title: "Loss", exact: (/** @type {number} */ value) => numberText(value, 3) };
    const charts = trainingCharts(classes.length, both, loss, { title: "Accuracy", exact: percentText });
    const xs = scores.map((_, epoch) => epoch);
    Object.values(charts).forEach((chart, which) => chart.show([
      { name: "test", look: "first", xs, ys: scores.map(({ test }) => test[which]) },
      { name: "training", look: "second dashed", xs, ys: scores.map(({ train }) => train[which]) },
    ]));
    return charts;
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
