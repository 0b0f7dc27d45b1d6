// @ts-check
/** MistakeExplorer: from a cell of the confusion matrix to its pictures, and into the network. */
import { render } from "../stage/stepper.js";
import { Gallery } from "./gallery.js";
import { MistakeTable } from "./table.js";
import { readArrays } from "../shared/arrays.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { frequentMistakes } from "../shared/confusion.js";
import { OWN_KEYS, announcer, button, element, prefersLessMotion } from "../shared/elements.js";
import { mounting } from "../shared/mounting.js";
import { Values } from "../shared/values.js";

const NUM_FREQUENT = 5;

/** List all that the explorer holds, in the order of its arrays. @param {Model} model @returns {Held[]} */
function readHeld(model) {
  const { places, answers, shares, pictures } = readArrays(model);
  const size = pictures.data.length / pictures.shape[0];
  return Array.from(places.data, (place, index) => ({
    place,
    cell: [model.get("meta").labels[index], answers.data[index]],
    pixels: pictures.data.subarray(index * size, (index + 1) * size),
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
  #model; #held; #table; #gallery; #stepper;
  /** @type {ExplorerMeta} */
  #meta;
  #aloud = announcer();
  #title = element("p", { class: "lenet-cell-title" });
  #box = element("div", {});
  /** @type {Values | null} */
  #walk = null;
  #shownCell = "";
  #stopWalk = () => {};

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#meta = model.get("meta");
    this.#held = readHeld(model);
    const { classes, counts, steps } = this.#meta;
    this.#table = new MistakeTable(classes, counts, (cell) => this.#choose(cell));
    this.#gallery = new Gallery(classes, counts, steps[0].shape, (place) => this.#open(place));
    this.#stepper = this.#makeStepper();
    this.root = this.#build(classes, counts);
    this.stops = this.#listen();
  }

  /** @param {string[]} classes @param {number[][]} counts */
  #build(classes, counts) {
    const chips = frequentMistakes(counts).slice(0, NUM_FREQUENT).map((cell) => {
      const [truth, answer] = cell.map((index) => classes[index]);
      const text = `${truth} → ${answer}: ${counts[cell[0]][cell[1]]}`;
      return button(text, () => this.#choose(cell));
    });
    const frequent = element("div", { class: "lenet-frequent", role: "group", "aria-label": "Most frequent mistakes" }, "most frequent: ", ...chips);
    const attributes = { class: "lenet-widget lenet-explorer", role: "group", "aria-label": `Mistakes of ${this.#meta.model}`, ...OWN_KEYS };
    const cells = element("div", { class: "lenet-cells" }, this.#table.node, chips.length ? frequent : "");
    return element("div", attributes, element("div", { class: "lenet-side-by-side" }, cells, this.#gallery.node), this.#stepper, this.#aloud.node);
  }

  #makeStepper() {
    const close = button("Close", () => this.#close());
    const head = element("div", { class: "lenet-opened" }, this.#title, close);
    return element("section", { hidden: true, "aria-label": "The picture in the stepper" }, head, this.#box);
  }

  /** @returns {(() => void)[]} */
  #listen() {
    const [showCell, showPicked] = [() => this.#showCell(), () => this.#showPicked()];
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.#close();
    });
    this.#model.on("change:cell", showCell);
    this.#model.on("change:picked", showPicked);
    return [
      () => this.#model.off("change:cell", showCell),
      () => this.#model.off("change:picked", showPicked),
      () => this.#stopWalk(),
      watchTheme(() => this.#paint()),
    ];
  }

  show() {
    this.#paint();
    this.#showCell();
    this.#showPicked();
  }

  // ------------------------------------------------------------------------ what the reader does

  /** @param {Cell} cell */
  #choose(cell) {
    this.#model.set("cell", cell);
    this.#model.save_changes();
  }

  /** @param {number} place */
  #open(place) {
    this.#model.set("picked", place);
    this.#model.save_changes();
    this.#stepper.scrollIntoView({ block: "nearest", behavior: prefersLessMotion() ? "auto" : "smooth" });
  }

  #close() {
    this.#model.set("picked", null);
    this.#model.save_changes();
  }

  // ------------------------------------------------------------------------ what is shown

  /** @returns {Cell} */
  get cell() {
    return this.#model.get("cell");
  }

  /** The stepper goes: give the focus back to the picture that opened it, or else to its cell. */
  #giveFocusBack() {
    const pressed = (/** @type {string} */ part) => this.root.querySelector(`.${part} [aria-pressed="true"]`);
    const opener = pressed("lenet-mistakes") ?? pressed("lenet-confusion");
    if (opener instanceof HTMLElement) opener.focus();
  }

  /** The cell has changed: pictures of other cells are closed. */
  #showCell() {
    const picked = this.#held.find(({ place }) => place === this.#model.get("picked"));
    if (picked && String(picked.cell) !== String(this.cell)) this.#model.set("picked", null);
    this.#fillGallery();
    this.#aloud.say(`${this.#gallery.title.textContent}. ${this.#gallery.facts.textContent} ${this.#gallery.rest.textContent}`);
  }

  #fillGallery() {
    if (this.#shownCell === String(this.cell)) return;
    this.#shownCell = String(this.cell);
    this.#table.mark(this.cell);
    this.#gallery.show(this.cell, this.#held.filter(({ cell }) => String(cell) === this.#shownCell));
    this.#gallery.mark(this.#model.get("picked"));
  }

  /** Another picture was picked, or none: its cell is shown with it. */
  #showPicked() {
    const index = this.#held.findIndex(({ place }) => place === this.#model.get("picked"));
    if (this.#stepper.contains(document.activeElement)) this.#giveFocusBack();
    this.#stopWalk();
    this.#stopWalk = () => {};
    this.#stepper.hidden = index < 0;
    this.#gallery.mark(this.#model.get("picked"));
    if (index < 0) {
      this.#box.replaceChildren();
      return;
    }
    this.#model.set("cell", this.#held[index].cell);
    this.#openStepper(index);
  }

  /** Show a stepper on one picture, at the step where the last one was. @param {number} index */
  #openStepper(index) {
    const { place, cell } = this.#held[index];
    const [truth, answer] = cell.map((number) => this.#meta.classes[number]);
    const verdict = cell[0] === cell[1] ? `${truth}, recognised` : `${truth}, called ${answer}`;
    this.#title.textContent = `Picture ${place}: ${verdict}`;
    const step = this.#walk?.get("step") ?? 0;
    this.#walk = new Values({ meta: metaOfOne(this.#meta, index), data: this.#model.get("data"), step, picked: [], sample: 0 });
    this.#box.replaceChildren();
    this.#stopWalk = render({ model: this.#walk, el: this.#box });
    this.#aloud.say(`Picture ${place}, ${verdict}, is open in the stepper below.`);
  }

  #paint() {
    this.#table.paint(readTheme(this.root));
  }
}

export default { render: mounting(Explorer) };
