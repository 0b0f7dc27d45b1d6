// @ts-check
/** The filters of the first convolution, every weight a coloured square. */
import { partOf } from "../shared/arrays.js";
import { colourText, signedColour } from "../shared/colours.js";
import { element } from "../shared/elements.js";
import { rampLegend } from "../shared/legend.js";
import { sumOf } from "../shared/numbers.js";
import { sizeCanvas } from "../shared/pictures.js";
import { numberText } from "../shared/text.js";

const GAP = 6; // CSS pixels between two filters
const FULL_COLOUR = 0.98; // share of weights with less than full colour: a few large ones must not pale the others
const LARGEST_WEIGHT = 16; // CSS pixels

export class Filters {
  #filters; #limit; #name;
  #canvas = element("canvas", { role: "img" });
  #note = element("p");

  /**
   * @param {Tensor} filters  (epochs, filters, depth, height, width)
   * @param {string} layer @param {number} numFilters  how many the layer has, shown or not
   */
  constructor(filters, layer, numFilters) {
    const [, count, depth] = filters.shape;
    this.#filters = filters;
    const sizes = Array.from(filters.data, Math.abs).sort((a, b) => a - b);
    this.#limit = sizes[Math.floor(FULL_COLOUR * (sizes.length - 1))];
    const which = count < numFilters ? `The first ${count} of ${numFilters} filters` : `The ${count} filters`;
    this.#name = `${which} of ${layer}`;
    const limit = numberText(this.#limit, 2);
    const title = element("p", { class: "lenet-chart-title" }, this.#name);
    const rows = depth > 1 ? "a row for each filter, a square for each input channel" : "";
    this.node = element("div", { class: "lenet-filters" }, title, this.#canvas, rampLegend(`−${limit}`, limit, rows), this.#note);
  }

  /** How far the weights are from where they began, root mean square. @param {number} epoch */
  #moved(epoch) {
    const [first, now] = [partOf(this.#filters, 0), partOf(this.#filters, epoch)];
    return Math.sqrt(sumOf(Array.from(now, (weight, index) => (weight - first[index]) ** 2)) / now.length);
  }

  /** @param {number} epoch @param {Theme} theme @param {number} room  CSS pixels */
  draw(epoch, theme, room) {
    const [, count, depth, height, width] = this.#filters.shape;
    const perRow = depth > 1 ? depth : Math.min(count, Math.ceil(Math.sqrt(1.5 * count)));
    const cell = Math.max(1, Math.min(LARGEST_WEIGHT, Math.floor((room / perRow - GAP) / width)));
    const [across, down] = [width * cell + GAP, height * cell + GAP];
    const context = sizeCanvas(this.#canvas, perRow * across, Math.ceil((count * depth) / perRow) * down);
    partOf(this.#filters, epoch).forEach((weight, index) => {
      const [x, row] = [index % width, Math.floor(index / width)];
      const [y, map] = [row % height, Math.floor(row / height)];
      context.fillStyle = colourText(signedColour(weight, this.#limit, theme));
      context.fillRect((map % perRow) * across + x * cell, Math.floor(map / perRow) * down + y * cell, cell, cell);
    });
    const words = epoch === 0 ? "Random numbers: nothing has been learned yet." : `A weight is ${numberText(this.#moved(epoch), 3)} away from where it began (root mean square).`;
    this.#note.textContent = words;
    this.#canvas.setAttribute("aria-label", `${this.#name}, drawn as squares of ${height} by ${width} weights. ${words}`);
  }
}
