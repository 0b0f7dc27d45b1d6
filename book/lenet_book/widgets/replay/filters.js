// @ts-check
/** The filters of the first convolution, every weight a coloured square. */
import { colourText, signedColour } from "../shared/colours.js";
import { element } from "../shared/elements.js";
import { rampLegend } from "../shared/legend.js";
import { sizeCanvas } from "../shared/pictures.js";
import { numberText } from "../shared/text.js";

const GAP = 6; // CSS pixels between two filters
const FULL_COLOUR = 0.98; // share of weights with less than full colour: a few large ones must not pale the others
const LARGEST_WEIGHT = 16; // CSS pixels

export class Filters {
  #count; #depth; #height; #width; #size; #weights; #limit; #name;
  #canvas = element("canvas", { role: "img" });
  #note = element("p");

  /**
   * @param {Tensor} filters  (epochs, filters, depth, height, width)
   * @param {string} layer @param {number} numFilters  how many the layer has, shown or not
   */
  constructor(filters, layer, numFilters) {
    [, this.#count, this.#depth, this.#height, this.#width] = filters.shape;
    this.#size = this.#count * this.#depth * this.#height * this.#width;
    this.#weights = Array.from(filters.data);
    const sizes = this.#weights.map(Math.abs).sort((a, b) => a - b);
    this.#limit = sizes[Math.floor(FULL_COLOUR * (sizes.length - 1))];
    const which = this.#count < numFilters ? `The first ${this.#count} of ${numFilters} filters` : `The ${this.#count} filters`;
    this.#name = `${which} of ${layer}`;
    const limit = numberText(this.#limit, 2);
    const title = element("p", { class: "lenet-chart-title" }, this.#name);
    const rows = this.#depth > 1 ? "a row for each filter, a square for each input channel" : "";
    this.node = element("div", { class: "lenet-filters" }, title, this.#canvas, rampLegend(`−${limit}`, limit, rows), this.#note);
  }

  /** @param {number} epoch */
  #at(epoch) {
    return this.#weights.slice(epoch * this.#size, (epoch + 1) * this.#size);
  }

  /** How far the weights are from where they began, root mean square. @param {number} epoch */
  #moved(epoch) {
    const [first, now] = [this.#at(0), this.#at(epoch)];
    const squares = now.reduce((sum, weight, index) => sum + (weight - first[index]) ** 2, 0);
    return Math.sqrt(squares / this.#size);
  }

  /** @param {number} epoch @param {Theme} theme @param {number} room  CSS pixels */
  draw(epoch, theme, room) {
    const weights = this.#at(epoch);
    const perRow = this.#depth > 1 ? this.#depth : Math.min(this.#count, Math.ceil(Math.sqrt(1.5 * this.#count)));
    const rows = (this.#count * this.#depth) / perRow;
    const cell = Math.max(1, Math.min(LARGEST_WEIGHT, Math.floor((room / perRow - GAP) / this.#width)));
    const [across, down] = [this.#width * cell + GAP, this.#height * cell + GAP];
    const context = sizeCanvas(this.#canvas, perRow * across, Math.ceil(rows) * down);
    weights.forEach((weight, index) => {
      const [x, row] = [index % this.#width, Math.floor(index / this.#width)];
      const [y, map] = [row % this.#height, Math.floor(row / this.#height)];
      context.fillStyle = colourText(signedColour(weight, this.#limit, theme));
      context.fillRect((map % perRow) * across + x * cell, Math.floor(map / perRow) * down + y * cell, cell, cell);
    });
    const words = epoch === 0 ? "Random numbers: nothing has been learned yet." : `A weight is ${numberText(this.#moved(epoch), 3)} away from where it began (root mean square).`;
    this.#note.textContent = words;
    this.#canvas.setAttribute("aria-label", `${this.#name}, drawn as squares of ${this.#height} by ${this.#width} weights. ${words}`);
  }
}
