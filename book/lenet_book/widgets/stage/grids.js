// @ts-check
/** Small tables of coloured numbers: pixels, a patch, a kernel, their products, a window of a pooling layer. */
import { limitOf } from "./maps.js";
import { addUp, convolutionSums, signedText } from "./sums.js";
import { colourText, greyColour, inkOn, signedColour } from "../shared/colours.js";
import { element, setText } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

const CELL = { width: 44, height: 32 }; // the largest, in CSS pixels
const NARROWEST_NUMBER = 33;
const MOST_SHOWN = 11; // across and down
const LONGEST_MEAN = 9; // terms that are written out

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

  /** @param {number} rows @param {number} columns @param {string} title @param {number} width  of a cell @param {number} height */
  constructor(rows, columns, title, width, height) {
    this.#isWritten = width >= NARROWEST_NUMBER;
    const style = `height: ${this.#isWritten ? height : Math.min(width, height)}px`;
    this.#cells = Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => element("td", { style, "data-cell": `${i},${j}` })));
    const lines = this.#cells.map((line) => element("tr", {}, ...line));
    this.node = element("table", { class: "lenet-grid", style: `width: ${columns * width + 1}px` }, element("caption", {}, title), element("tbody", {}, ...lines));
  }

  /** @param {number[][]} values @param {Paint} paint @param {{ isInside?: boolean[][], lit?: number[], decimals?: number }} [marks]  isInside: false in the padding */
  show(values, paint, { isInside, lit = [], decimals = 2 } = {}) {
    this.#cells.forEach((line, i) =>
      line.forEach((cell, j) => {
        const isPadding = isInside?.[i][j] === false;
        const ground = paint(values[i][j]);
        cell.style.backgroundColor = isPadding ? "" : colourText(ground);
        cell.style.color = isPadding ? "" : inkOn(ground);
        cell.className = isPadding ? "lenet-padding" : lit[0] === i && lit[1] === j ? "lenet-winner" : "";
        setText(cell, this.#isWritten ? numberText(values[i][j], decimals) : "");
      }),
    );
  }
}

/** The pixels around one of them, as the numbers they are. */
export class PixelGrid {
  #grid; #side;
  #words = element("p", { class: "lenet-column-sum" });

  /** @param {number[]} shape @param {number} width @param {number} height */
  constructor([, rows, columns], width, height) {
    const side = Math.max(1, Math.min(rows, columns, Math.floor((height - 70) / 26), Math.floor((width - 8) / NARROWEST_NUMBER), MOST_SHOWN));
    this.#side = side;
    this.#grid = new Grid(side, side, "", Math.min(CELL.width, Math.floor((width - 8) / side)), Math.min(CELL.height, Math.floor((height - 70) / side)));
    this.node = element("div", { class: "lenet-grids" }, element("div", {}, this.#grid.node), this.#words);
  }

  /** @param {ArithmeticOf<"input">} _ @param {Showing} showing */
  show(_, { state: { input: picture, unit } }) {
    const { shape, values, isPixels } = picture;
    const [channel, row, column] = unit;
    const [mean, std] = picture.statistics(channel);
    const [top, left] = [row, column].map((place, axis) => Math.max(0, Math.min(place - Math.floor(this.#side / 2), shape[axis + 1] - this.#side)));
    const line = (/** @type {number} */ i) => Array.from(values.subarray(((channel * shape[1] + top + i) * shape[2]) + left).subarray(0, this.#side));
    const shade = (/** @type {number} */ value) => (isPixels ? Math.round(255 * (value * std + mean)) : value);
    const numbers = Array.from({ length: this.#side }, (_, i) => line(i).map(shade));
    this.#grid.show(numbers, greyPaint(isPixels ? [0, 255] : picture.pixelRange[channel]), { lit: [row - top, column - left], decimals: isPixels ? 0 : 2 });
    const colour = shape[0] === 3 ? ` of the ${["red", "green", "blue"][channel]} channel` : "";
    setText(this.#words, `Rows ${top} to ${top + this.#side - 1}, columns ${left} to ${left + this.#side - 1}${colour}${isPixels ? ": 0 is black, 255 is white" : ""}.`);
  }
}

/** One channel of a convolution, number by number: patch × kernel = products. */
export class ProductGrids {
  #patch; #kernel; #products;
  #reading = element("p", { class: "lenet-reading" });
  #sum = element("p", { class: "lenet-column-sum" });
  /** @type {Weighted | null} */
  #shown = null;

  /** @param {Weighted} patch @param {number} width  CSS pixels @param {number} height */
  constructor({ kernel }, width, height) {
    const [rows, columns] = [kernel.length, kernel[0].length];
    const cellWidth = Math.max(4, Math.min(CELL.width, Math.floor((width - 44) / (2 * columns))));
    const cellHeight = Math.max(12, Math.min(CELL.height, Math.floor((height - 96) / (2 * rows))));
    const grid = (/** @type {string} */ title) => new Grid(rows, columns, title, cellWidth, cellHeight);
    this.#patch = grid("patch");
    this.#kernel = grid("kernel");
    this.#products = grid("products");
    const sign = (/** @type {string} */ text) => element("span", { class: "lenet-operator", "aria-hidden": "true" }, text);
    const factors = element("div", {}, this.#patch.node, sign("×"), this.#kernel.node);
    this.node = element("div", { class: "lenet-grids" }, factors, element("div", {}, sign("="), this.#products.node, element("div", {}, this.#sum, this.#reading)));
    for (const event of ["pointerover", "click"]) this.node.addEventListener(event, (e) => this.#light(/** @type {HTMLElement} */ (e.target)));
  }

  /** @param {ArithmeticOf<"conv">} arithmetic @param {Showing} showing */
  show(arithmetic, { chosen, paintOf, theme }) {
    const patch = /** @type {Weighted} */ (chosen);
    const { sums, line } = convolutionSums(arithmetic);
    const sum = sums[arithmetic.patches.indexOf(patch)];
    const columns = patch.kernel[0].length;
    const { terms } = addUp(patch.products.flat(), sum);
    const { isInside } = patch;
    this.#shown = patch;
    this.#patch.show(patch.values, paintOf(patch.channel), { isInside });
    this.#kernel.show(patch.kernel, signedPaint(limitOf(patch.kernel.flat()), theme));
    this.#products.show(patch.products.map((_, i) => terms.slice(i * columns, (i + 1) * columns)), signedPaint(limitOf(patch.products.flat()), theme), { isInside });
    setText(this.#sum, `The ${terms.length} products add up to ${numberText(sum, 2)}.`);
    setText(this.#reading, `Point at a cell to see its product.${isInside.flat().includes(false) ? " Hatched: padding, which is 0." : ""}`);
    return line;
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
  #grid;
  #words = element("p", { class: "lenet-column-sum" });

  /** @param {Patch} patch @param {number} width @param {number} height */
  constructor({ rows, columns }, width, height) {
    const cellWidth = Math.max(4, Math.min(72, Math.floor((width - 8) / columns.length)));
    const cellHeight = Math.max(12, Math.min(48, Math.floor((height - 90) / rows.length)));
    this.#grid = new Grid(rows.length, columns.length, "the window", cellWidth, cellHeight);
    this.node = element("div", { class: "lenet-grids" }, element("div", {}, this.#grid.node), this.#words);
  }

  /** @param {ArithmeticOf<"maxPool"> | ArithmeticOf<"avgPool">} arithmetic @param {{ paintOf: Showing["paintOf"] }} showing */
  show(arithmetic, { paintOf }) {
    const { patch } = arithmetic;
    const lit = arithmetic.kind === "maxPool" ? arithmetic.winner : [];
    this.#grid.show(patch.values, paintOf(patch.channel), { isInside: patch.isInside, lit });
    setText(this.#words, arithmetic.kind === "maxPool" ? `The largest stands in row ${patch.rows[lit[0]]}, column ${patch.columns[lit[1]]}.` : averageText(arithmetic));
  }
}

/** @param {ArithmeticOf<"avgPool">} arithmetic */
function averageText({ patch, sum, divisor }) {
  const terms = patch.values.flatMap((line, i) => line.filter((_, j) => patch.isInside[i][j]));
  if (terms.length > LONGEST_MEAN) return `The ${terms.length} numbers add up to ${numberText(sum, 2)}; that is divided by ${divisor}.`;
  const shown = addUp(terms, sumOf(terms));
  return `${shown.terms.map((term) => signedText(term)).join(" ")} = ${numberText(shown.total, 2)}, divided by ${divisor}.`;
}
