// @ts-check
/** Small tables of coloured numbers: a patch, a kernel, their products, a window of a pooling layer. */
import { limitOf } from "./maps.js";
import { signedText, addUp } from "./sums.js";
import { colourText, greyColour, inkOn, signedColour } from "../shared/colours.js";
import { element, setText } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("./explanation.js").Arithmetic} Arithmetic */
/** @typedef {import("./explanation.js").Patch} Patch */
/** @typedef {import("./explanation.js").Weighted} Weighted */
/** @typedef {import("../shared/colours.js").Theme} Theme */
/** @typedef {(value: number) => import("../shared/colours.js").Colour} Paint */
/** @template {Arithmetic["kind"]} Kind @typedef {Extract<Arithmetic, { kind: Kind }>} Of */

const CELL = { width: 44, height: 32 }; // the largest, in CSS pixels
const NARROWEST_NUMBER = 33;

/** Blue and red, full at a limit. @param {number} limit @param {Theme} theme @returns {Paint} */
export function signedPaint(limit, theme) {
  return (value) => signedColour(value, limit, theme);
}

/** Black to white. @param {[low: number, high: number]} range @returns {Paint} */
export function greyPaint([low, high]) {
  return (value) => greyColour(value, low, high);
}

/** A table whose cells stay, and whose numbers change. */
class Grid {
  #cells; #isWritten;

  /** @param {number} rows @param {number} columns @param {string} title @param {number} cellWidth @param {number} [cellHeight] */
  constructor(rows, columns, title, cellWidth, cellHeight = CELL.height) {
    this.#isWritten = cellWidth >= NARROWEST_NUMBER;
    const height = this.#isWritten ? cellHeight : Math.min(cellWidth, cellHeight);
    const style = `width: ${cellWidth}px; height: ${height}px`;
    this.#cells = Array.from({ length: rows }, (_, i) =>
      Array.from({ length: columns }, (_, j) => element("td", { style, "data-cell": `${i},${j}` })),
    );
    const lines = this.#cells.map((line) => element("tr", {}, ...line));
    this.node = element("table", { class: "lenet-grid" }, element("caption", {}, title), element("tbody", {}, ...lines));
  }

  /** @param {number[][]} values @param {Paint} paint @param {boolean[][]} [isInside]  false in the padding @param {[number, number]} [winner] @param {number} [decimals] */
  show(values, paint, isInside, winner, decimals = 2) {
    this.#cells.forEach((line, i) =>
      line.forEach((cell, j) => {
        const isPadding = isInside?.[i][j] === false;
        const ground = paint(values[i][j]);
        cell.style.background = isPadding ? "" : colourText(ground);
        cell.style.color = isPadding ? "" : inkOn(ground);
        cell.className = isPadding ? "lenet-padding" : winner && winner[0] === i && winner[1] === j ? "lenet-winner" : "";
        setText(cell, this.#isWritten ? numberText(values[i][j], decimals) : "");
      }),
    );
  }
}

/** The pixels around one of them, as the numbers they are. */
export class PixelGrid {
  #grid; #size; #words = element("p", { class: "lenet-column-sum" });

  /** @param {number[]} shape @param {number} width @param {number} height */
  constructor([, rows, columns], width, height) {
    const most = [Math.floor((height - 70) / 26), Math.floor((width - 8) / NARROWEST_NUMBER), 11];
    const side = Math.max(1, Math.min(rows, columns, ...most));
    this.#size = side;
    this.#grid = new Grid(side, side, "", Math.min(CELL.width, Math.floor((width - 8) / side)), Math.min(CELL.height, Math.floor((height - 70) / side)));
    this.node = element("div", { class: "lenet-grids" }, element("div", {}, this.#grid.node), this.#words);
  }

  /** @param {import("./input/picture.js").Picture} picture @param {number[]} unit */
  show(picture, unit) {
    const [channel, row, column] = unit;
    const [, height, width] = picture.shape;
    const [mean, std] = picture.statistics(channel);
    const first = [row, column].map((place, axis) => Math.max(0, Math.min(place - Math.floor(this.#size / 2), [height, width][axis] - this.#size)));
    const places = Array.from({ length: this.#size }, (_, i) => i);
    const valueAt = (/** @type {number} */ i, /** @type {number} */ j) => picture.values[(channel * height + first[0] + i) * width + first[1] + j];
    const shade = (/** @type {number} */ value) => (picture.isPixels ? Math.round(255 * (value * std + mean)) : value);
    const values = places.map((i) => places.map((j) => shade(valueAt(i, j))));
    const paint = picture.isPixels ? greyPaint([0, 255]) : greyPaint(picture.pixelRange[channel]);
    this.#grid.show(values, paint, undefined, [row - first[0], column - first[1]], picture.isPixels ? 0 : 2);
    const colour = picture.shape[0] === 3 ? ` of the ${["red", "green", "blue"][channel]} channel` : "";
    setText(this.#words, `Rows ${first[0]} to ${first[0] + this.#size - 1}, columns ${first[1]} to ${first[1] + this.#size - 1}${colour}${picture.isPixels ? ": 0 is black, 255 is white" : ""}.`);
  }
}

/** @param {string} text */
function operator(text) {
  return element("span", { class: "lenet-operator", "aria-hidden": "true" }, text);
}

/** One channel of a convolution, number by number: patch × kernel = products. */
export class ProductGrids {
  #patch; #kernel; #products; #reading; #sum;
  /** @type {Weighted | null} */
  #shown = null;

  /** @param {Weighted} patch @param {number} width  CSS pixels @param {number} height */
  constructor({ kernel }, width, height) {
    const [rows, columns] = [kernel.length, kernel[0].length];
    const cellWidth = Math.max(4, Math.min(CELL.width, Math.floor((width - 44) / (2 * columns))));
    const cellHeight = Math.max(12, Math.min(CELL.height, Math.floor((height - 96) / (2 * rows))));
    this.#patch = new Grid(rows, columns, "patch", cellWidth, cellHeight);
    this.#kernel = new Grid(rows, columns, "kernel", cellWidth, cellHeight);
    this.#products = new Grid(rows, columns, "products", cellWidth, cellHeight);
    this.#reading = element("p", { class: "lenet-reading" });
    this.#sum = element("p", { class: "lenet-column-sum" });
    const side = element("div", {}, this.#sum, this.#reading);
    const [first, second] = [[this.#patch.node, operator("×"), this.#kernel.node], [operator("="), this.#products.node, side]];
    this.node = element("div", { class: "lenet-grids" }, element("div", {}, ...first), element("div", {}, ...second));
    for (const event of ["pointerover", "click"]) this.node.addEventListener(event, (e) => this.#light(/** @type {HTMLElement} */ (e.target)));
  }

  /** @param {Weighted} patch @param {number} sum  of the products, as it is shown @param {Paint} paint  of the patch @param {Theme} theme */
  show(patch, sum, paint, theme) {
    this.#shown = patch;
    const columns = patch.products[0].length;
    const flat = addUp(patch.products.flat(), sum).terms;
    const products = patch.products.map((_, i) => flat.slice(i * columns, (i + 1) * columns));
    this.#patch.show(patch.values, paint, patch.isInside);
    this.#kernel.show(patch.kernel, signedPaint(limitOf(patch.kernel.flat()), theme));
    this.#products.show(products, signedPaint(limitOf(patch.products.flat()), theme), patch.isInside);
    setText(this.#sum, `The ${flat.length} products add up to ${numberText(sum, 2)}.`);
    const padding = patch.isInside.flat().includes(false) ? " Hatched: padding, which is 0." : "";
    setText(this.#reading, `Point at a cell to see its product.${padding}`);
  }

  /** Show one product where all three grids have the same cell. @param {HTMLElement} target */
  #light(target) {
    const { cell } = target.dataset;
    if (!cell || !this.#shown) return;
    for (const other of this.node.querySelectorAll("[data-cell]")) other.classList.toggle("lenet-cell-lit", /** @type {HTMLElement} */ (other).dataset.cell === cell);
    const [i, j] = cell.split(",").map(Number);
    const { values, kernel, products } = this.#shown;
    setText(this.#reading, `${numberText(values[i][j])} × ${numberText(kernel[i][j])} = ${numberText(products[i][j])}`);
  }
}

/** The window of a pooling layer. */
export class WindowGrid {
  #grid; #words;

  /** @param {Patch} patch @param {number} width @param {number} height */
  constructor({ values }, width, height) {
    const [rows, columns] = [values.length, values[0].length];
    const cellWidth = Math.max(4, Math.min(72, Math.floor((width - 8) / columns)));
    const cellHeight = Math.max(12, Math.min(48, Math.floor((height - 90) / rows)));
    this.#grid = new Grid(rows, columns, "the window", cellWidth, cellHeight);
    this.#words = element("p", { class: "lenet-column-sum" });
    this.node = element("div", { class: "lenet-grids" }, element("div", {}, this.#grid.node), this.#words);
  }

  /** @param {Of<"maxPool"> | Of<"avgPool">} arithmetic @param {Paint} paint */
  show(arithmetic, paint) {
    const { patch } = arithmetic;
    const winner = arithmetic.kind === "maxPool" ? arithmetic.winner : undefined;
    this.#grid.show(patch.values, paint, patch.isInside, winner);
    if (winner) setText(this.#words, `The largest stands in row ${patch.rows[winner[0]]}, column ${patch.columns[winner[1]]}.`);
    else setText(this.#words, averageText(/** @type {Of<"avgPool">} */ (arithmetic)));
  }
}

/** @param {Of<"avgPool">} arithmetic */
function averageText({ patch, sum, divisor }) {
  const terms = patch.values.flatMap((line, i) => line.filter((_, j) => patch.isInside[i][j]));
  if (terms.length > 9) return `The ${terms.length} numbers add up to ${numberText(sum, 2)}; that is divided by ${divisor}.`;
  const shown = addUp(terms, sumOf(terms));
  return `${shown.terms.map((term) => signedText(term)).join(" ")} = ${numberText(shown.total, 2)}, divided by ${divisor}.`;
}
