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

/** @param {Tensor} filters  (epochs, filters, depth, height, width) @param {string} layer @param {number} numFilters  how many the layer has, shown or not */
export function drawnFilters(filters, layer, numFilters) {
  const [, count, depth, height, width] = filters.shape;
  const sizes = Array.from(filters.data, Math.abs).sort((a, b) => a - b);
  const limit = sizes[Math.floor(FULL_COLOUR * (sizes.length - 1))];
  const name = `${count < numFilters ? `The first ${count} of ${numFilters} filters` : `The ${count} filters`} of ${layer}`;
  const canvas = element("canvas", { role: "img" });
  const note = element("p");
  const text = numberText(limit, 2);
  const node = element("div", { class: "lenet-filters" }, element("p", { class: "lenet-chart-title" }, name), canvas,
    rampLegend(`−${text}`, text, depth > 1 ? "a row for each filter, a square for each input channel" : ""), note);
  /** @param {number} epoch @param {Theme} theme @param {number} room  CSS pixels */
  const draw = (epoch, theme, room) => {
    const perRow = depth > 1 ? depth : Math.min(count, Math.ceil(Math.sqrt(1.5 * count)));
    const cell = Math.max(1, Math.min(LARGEST_WEIGHT, Math.floor((room / perRow - GAP) / width)));
    const [across, down] = [width * cell + GAP, height * cell + GAP];
    const context = sizeCanvas(canvas, perRow * across, Math.ceil((count * depth) / perRow) * down);
    partOf(filters, epoch).forEach((weight, index) => {
      const [x, row] = [index % width, Math.floor(index / width)];
      const [y, map] = [row % height, Math.floor(row / height)];
      context.fillStyle = colourText(signedColour(weight, limit, theme));
      context.fillRect((map % perRow) * across + x * cell, Math.floor(map / perRow) * down + y * cell, cell, cell);
    });
    const words = epoch === 0 ? "Random numbers: nothing has been learned yet."
      : `A weight is ${numberText(movedBy(filters, epoch), 3)} away from where it began (root mean square).`;
    note.textContent = words;
    canvas.setAttribute("aria-label", `${name}, drawn as squares of ${height} by ${width} weights. ${words}`);
  };
  return { node, draw };
}

/** How far the weights are from where they began, root mean square. @param {Tensor} filters @param {number} epoch */
function movedBy(filters, epoch) {
  const [first, now] = [partOf(filters, 0), partOf(filters, epoch)];
  return Math.sqrt(sumOf(Array.from(now, (weight, index) => (weight - first[index]) ** 2)) / now.length);
}
