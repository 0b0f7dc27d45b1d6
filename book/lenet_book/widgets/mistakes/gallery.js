// @ts-check
/** The pictures of one cell, each a button that opens it. */
import { cellText } from "../shared/confusion.js";
import { element } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { paintPicture } from "../shared/pictures.js";
import { countText, percentText } from "../shared/text.js";

const PICTURE_SIDE = 72; // CSS pixels
const SUREST = 0.99999; // a softmax never says 1; single precision rounds to it

/** @param {number} share */
function shareText(share) {
  return percentText(Math.min(share, SUREST)).replace(" ", "\u00a0");
}

export class Gallery {
  #classes; #counts; #shape; #onOpen;
  #list = element("ul", { class: "lenet-mistakes" });

  /** @param {string[]} classes @param {number[][]} counts @param {number[]} shape  of a picture @param {(place: number) => void} onOpen */
  constructor(classes, counts, shape, onOpen) {
    this.#classes = classes;
    this.#counts = counts;
    this.#shape = shape;
    this.#onOpen = onOpen;
    this.title = element("p", { class: "lenet-cell-title" });
    this.facts = element("p", {});
    this.rest = element("p", { class: "lenet-muted" });
    this.node = element("div", { class: "lenet-gallery" }, this.title, this.facts, this.#list, this.rest);
    /** @type {Map<number, HTMLButtonElement>} */
    this.buttons = new Map();
  }

  /** @param {Cell} cell @param {Held[]} held  its pictures */
  show(cell, held) {
    this.title.textContent = cellText(this.#classes, cell);
    this.facts.textContent = this.inWords(cell);
    this.buttons = new Map(held.map((picture) => [picture.place, this.#button(picture)]));
    this.#list.replaceChildren(...[...this.buttons.values()].map((button) => element("li", {}, button)));
    const more = this.#counts[cell[0]][cell[1]] - held.length;
    const order = held.length > 1 ? "The surest answer comes first." : "";
    this.rest.textContent = more ? `Shown are the ${held.length} surest answers; ${countText(more)} more are left out.` : order;
  }

  /** What a cell's count says about its row and its column. @param {Cell} cell */
  inWords([truth, answer]) {
    const [trueName, answerName] = [this.#classes[truth], this.#classes[answer]];
    const count = this.#counts[truth][answer];
    if (!count) return `No picture of ${trueName} is ${truth === answer ? "recognised" : `called ${answerName}`}.`;
    const [ofTruth, ofAnswer] = [sumOf(this.#counts[truth]), sumOf(this.#counts.map((row) => row[answer]))];
    const [recall, precision] = [percentText(count / ofTruth), percentText(count / ofAnswer)];
    const row = `Of ${countText(ofTruth)} pictures of ${trueName}, ${countText(count)}`;
    const column = `Of ${countText(ofAnswer)} that are called ${answerName}`;
    return truth === answer
      ? `${row} are recognised: ${recall}, the recall of this class. ${column}, they make up ${precision}, its precision.`
      : `${row} are called ${answerName}: ${recall}. ${column}, they make up ${precision}.`;
  }

  /** @param {Held} picture */
  #button({ place, cell, pixels, answerShare, truthShare }) {
    const canvas = element("canvas", { "aria-hidden": "true" });
    paintPicture(canvas, pixels, this.#shape, PICTURE_SIDE);
    const [truth, answer] = cell.map((index) => this.#classes[index]);
    const lines = [
      element("span", { class: "lenet-answer" }, `${answer} ${shareText(answerShare)}`),
      ...(cell[0] === cell[1] ? [] : [element("span", {}, `${truth} ${shareText(truthShare)}`)]),
      element("span", { class: "lenet-muted" }, `picture ${place}`),
      element("span", { class: "lenet-aloud" }, "open it in the stepper"),
    ];
    const texts = lines.flatMap((line) => [line, " "]); // spaces keep them apart when read aloud
    return element("button", { type: "button", "aria-pressed": "false", onclick: () => this.#onOpen(place) }, canvas, ...texts);
  }

  /** @param {number | null} picked */
  mark(picked) {
    for (const [place, button] of this.buttons) button.setAttribute("aria-pressed", String(place === picked));
  }
}
