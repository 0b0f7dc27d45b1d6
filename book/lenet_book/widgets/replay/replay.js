// @ts-check
/** TrainingReplay: wind a recorded training back and forth, and watch everything that changes. */
import { trainingCharts } from "../shared/chart.js";
import { followingTable } from "./confusion.js";
import { drawnFilters } from "./filters.js";
import { answeredPictures } from "./pictures.js";
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
    const { scores, layer, numFilters, classes, labels, model: name } = this.#meta;
    this.#last = scores.length - 1;
    const go = (/** @type {number} */ epoch) => setValue(model, "epoch", epoch);
    const walk = { at: () => this.#epoch, last: () => this.#last, go, milliseconds: () => PLAY_MILLISECONDS };
    this.#transport = new Transport(walk, { slider: "epoch" });
    this.#transport.play.classList.add("lenet-main");
    this.#transport.node.append(this.#place);
    this.#charts = this.#makeCharts();
    this.#filters = drawnFilters(this.#arrays.filters, layer, numFilters);
    this.#confusion = followingTable(classes);
    this.#pictures = answeredPictures(this.#arrays.pictures, labels, classes);
    const { loss, accuracy } = this.#charts;
    this.root = element("div", { class: "lenet-widget lenet-replay", role: "group", "aria-label": `Training of ${name}, epoch by epoch`, ...OWN_KEYS },
      this.#transport.node,
      element("div", { class: "lenet-parts" },
        element("div", { class: "lenet-charts" }, loss.node, accuracy.node), this.#confusion.node, this.#filters.node, this.#pictures.node),
      this.#aloud.node);
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

  #layOut() {
    for (const chart of Object.values(this.#charts)) chart.draw();
    const room = Math.min(WIDEST_FILTERS, this.#filters.node.clientWidth);
    if (room > 0) this.#filters.draw(this.#epoch, readTheme(this.root), room);
  }

  show() {
    const epoch = this.#epoch;
    this.#place.textContent = epoch === 0 ? "before training" : `epoch ${epoch} of ${this.#last}`;
    this.#transport.show(this.#place.textContent);
    for (const chart of Object.values(this.#charts)) chart.mark(epoch);
    this.#confusion.show(rowsAt(this.#arrays.confusion, epoch), readTheme(this.root));
    this.#pictures.show(rowsAt(this.#arrays.probabilities, epoch));
    this.#layOut();
    if (!this.#transport.isPlaying) this.#aloud.say(this.#inWords());
  }

  #inWords() {
    const { train, test } = this.#meta.scores[this.#epoch];
    const score = (/** @type {Score} */ [loss, accuracy]) => `loss ${numberText(loss, 3)}, accuracy ${percentText(accuracy)}`;
    return `${this.#place.textContent}. Test: ${score(test)}. Training: ${score(train)}. ${this.#confusion.note.textContent}`;
  }
}

export default { render: mounting(Replay) };
