// @ts-check
/** MistakeExplorer: from a cell of the confusion matrix to its pictures, and into the network. */
import { render } from "../stage/stepper.js";
import { gallery } from "./gallery.js";
import { mistakeTable } from "./table.js";
import { partOf, readArrays, setValue, watchValue } from "../shared/arrays.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { cellText, frequentMistakes } from "../shared/confusion.js";
import { OWN_KEYS, announcer, button, element, prefersLessMotion } from "../shared/elements.js";
import { mounting } from "../shared/mounting.js";
import { Values } from "../shared/values.js";

const NUM_FREQUENT = 5;

/** List all that the explorer holds, in the order of its arrays. @param {Model} model @returns {Held[]} */
function readHeld(model) {
  const { places, answers, shares, pictures } = readArrays(model);
  return Array.from(places.data, (place, index) => ({
    place,
    cell: [model.get("meta").labels[index], answers.data[index]],
    pixels: partOf(pictures, index),
    answerShare: shares.data[2 * index],
    truthShare: shares.data[2 * index + 1],
  }));
}

/** Cut one picture, and what was recorded for it, out of a stepper's values. @param {ExplorerMeta} meta @param {number} index  of the picture */
function metaOfOne(meta, index) {
  const recorded = meta.steps.flatMap((step) => (step.perImage ? [String(step.values)] : []));
  const perPicture = new Set(["pictures", ...recorded]);
  const arrays = meta.arrays.map((entry) => {
    if (!perPicture.has(entry.name)) return entry;
    const length = entry.length / entry.shape[0];
    return { ...entry, shape: [1, ...entry.shape.slice(1)], offset: entry.offset + index * length, length };
  });
  return { ...meta, arrays, labels: [meta.labels[index]] };
}

class Explorer {
  #model; #meta; #held; #table; #gallery;
  #aloud = announcer();
  #title = element("p", { class: "lenet-cell-title" });
  #box = element("div", {});
  #stepper = element("section", { hidden: true, "aria-label": "The picture in the stepper" },
    element("div", { class: "lenet-opened" }, this.#title, button("Close", () => this.#close())), this.#box);
  /** @type {Values | null} */
  #walk = null;
  #stopWalk = () => {};

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#meta = /** @type {ExplorerMeta} */ (model.get("meta"));
    this.#held = readHeld(model);
    this.#table = mistakeTable(this.#meta, (cell) => setValue(model, "cell", cell));
    this.#gallery = gallery(this.#meta, (place) => this.#open(place));
    const cells = element("div", { class: "lenet-cells" }, this.#table.node, ...this.#frequent());
    const onkeydown = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && !event.defaultPrevented && this.#close();
    this.root = element("div", { class: "lenet-widget lenet-explorer", role: "group", "aria-label": `Mistakes of ${this.#meta.model}`, ...OWN_KEYS, onkeydown },
      element("div", { class: "lenet-side-by-side" }, cells, this.#gallery.node), this.#stepper, this.#aloud.node);
    this.stops = [
      watchValue(model, "cell", () => this.#showCell()),
      watchValue(model, "picked", () => this.#showPicked()),
      watchTheme(() => this.#paint()),
      () => this.#stopWalk(),
    ];
  }

  /** The most frequent mistakes, a button each. */
  #frequent() {
    const { classes, counts } = this.#meta;
    const chips = frequentMistakes(counts).slice(0, NUM_FREQUENT).map((cell) => {
      const [truth, answer] = cell;
      return button(`${classes[truth]} → ${classes[answer]}: ${counts[truth][answer]}`, () => setValue(this.#model, "cell", cell));
    });
    return chips.length ? [element("div", { class: "lenet-frequent", role: "group", "aria-label": "Most frequent mistakes" }, "most frequent: ", ...chips)] : [];
  }

  show() {
    this.#paint();
    this.#showCell();
    this.#showPicked();
  }

  /** @param {number} place */
  #open(place) {
    setValue(this.#model, "picked", place);
    this.#stepper.scrollIntoView({ block: "nearest", behavior: prefersLessMotion() ? "auto" : "smooth" });
  }

  #close() {
    setValue(this.#model, "picked", null);
  }

  /** The stepper goes: give the focus back to the picture that opened it, or else to its cell. */
  #giveFocusBack() {
    const pressed = (/** @type {string} */ part) => this.root.querySelector(`.${part} [aria-pressed="true"]`);
    const opener = pressed("lenet-mistakes") ?? pressed("lenet-confusion");
    if (opener instanceof HTMLElement) opener.focus();
  }

  /** The cell has changed: pictures of other cells are closed. */
  #showCell() {
    const cell = /** @type {Cell} */ (this.#model.get("cell"));
    const held = this.#held.filter((each) => String(each.cell) === String(cell));
    if (!held.some(({ place }) => place === this.#model.get("picked"))) this.#model.set("picked", null);
    this.#table.mark(cell);
    this.#gallery.show(cell, held);
    this.#gallery.mark(this.#model.get("picked"));
    const [title, ...others] = this.#gallery.texts.map((node) => node.textContent);
    this.#aloud.say(`${title}. ${others.join(" ")}`);
  }

  /** Another picture was picked, or none: its cell is shown with it. */
  #showPicked() {
    const index = this.#held.findIndex(({ place }) => place === this.#model.get("picked"));
    if (this.#stepper.contains(document.activeElement)) this.#giveFocusBack();
    this.#stopWalk();
    this.#stopWalk = () => {};
    this.#stepper.hidden = index < 0;
    this.#gallery.mark(this.#model.get("picked"));
    this.#box.replaceChildren();
    if (index < 0) return;
    this.#model.set("cell", this.#held[index].cell);
    this.#openStepper(index);
  }

  /** Show a stepper on one picture, at the step where the last one was. @param {number} index */
  #openStepper(index) {
    const { place, cell } = this.#held[index];
    const verdict = cellText(this.#meta.classes, cell);
    this.#title.textContent = `Picture ${place}: ${verdict}`;
    const step = this.#walk?.get("step") ?? 0;
    this.#walk = new Values({ meta: metaOfOne(this.#meta, index), data: this.#model.get("data"), step, picked: [], sample: 0 });
    this.#stopWalk = render({ model: this.#walk, el: this.#box });
    this.#aloud.say(`Picture ${place}, ${verdict}, is open in the stepper below.`);
  }

  #paint() {
    this.#table.paint(readTheme(this.root));
  }
}

export default { render: mounting(Explorer) };
