// @ts-check
/** A convolution through several channels: a row for each, and how their sums add up. */
import { Painting, limitOf } from "./maps.js";
import { signedText } from "./sums.js";
import { runningTotal } from "./totals.js";
import { element, setText } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";

/** @typedef {import("./explanation.js").Weighted} Weighted */
/** @typedef {import("./maps.js").Scale} Scale */

const LARGEST_TILE_CELL = 11;
const SHORTEST_ROW = 21; // CSS pixels

/** A patch, a kernel or products, one pixel for each number. */
class Tile {
  /** @param {number} rows @param {number} columns @param {number} cell */
  constructor(rows, columns, cell) {
    this.painting = new Painting({ tiles: 1, rows, columns });
    this.canvas = this.painting.canvas;
    this.canvas.className = "lenet-tile";
    this.canvas.style.width = `${columns * cell}px`;
    this.canvas.style.height = `${rows * cell}px`;
  }

  /** @param {number[][]} values @param {Scale} scale @param {number} channel */
  show(values, { palette, range }, channel) {
    this.painting.paint(values.flat(), { palette, range: () => range(channel) });
  }
}

export class ChannelRows {
  #rows; #totals; #others;
  /** The channels that the rows show, from top to bottom. @type {Weighted[]} */
  shown = [];

  /**
   * @param {Weighted[]} patches @param {boolean} hasBias @param {number} height  CSS pixels
   * @param {(channel: number) => void} onChoose
   */
  constructor(patches, hasBias, height, onChoose) {
    const room = Math.floor((height - 20) / SHORTEST_ROW) - Number(hasBias);
    const count = patches.length <= room ? patches.length : Math.max(1, room - 1);
    const isCut = count < patches.length;
    const numRows = count + Number(isCut) + Number(hasBias);
    const rowHeight = Math.min(62, (height - 20) / numRows);
    const [rows, columns] = [patches[0].kernel.length, patches[0].kernel[0].length];
    const cell = Math.max(1, Math.min(LARGEST_TILE_CELL, Math.floor((rowHeight - (rowHeight > 40 ? 8 : 3)) / rows), Math.floor(70 / columns)));
    this.#totals = runningTotal(numRows);
    this.#rows = Array.from({ length: count }, (_, i) => this.#row(i, [rows, columns, cell], onChoose));
    this.#others = isCut ? plainRow("", this.#totals.cells[count]) : null;
    const bias = hasBias ? plainRow("bias", this.#totals.cells[numRows - 1]) : null;
    this.bias = bias;
    const head = ["", "patch", "", "kernel", "", "products", "sum", "so far"].map((text) => element("span", {}, text));
    const style = `grid-auto-rows: ${rowHeight}px; --tile: ${columns * cell}px`;
    const all = [...this.#rows, ...(this.#others ? [this.#others] : []), ...(bias ? [bias] : [])];
    this.node = element("div", { class: "lenet-channels", style }, element("div", { class: "lenet-channel-head" }, ...head), ...all.map(({ node }) => node));
  }

  /** @param {number} i @param {[number, number, number]} size @param {(channel: number) => void} onChoose */
  #row(i, size, onChoose) {
    const [patch, kernel, products] = [new Tile(...size), new Tile(...size), new Tile(...size)];
    const [name, sum] = [element("b", {}), element("span", { class: "lenet-figure" })];
    const sign = (/** @type {string} */ text) => element("span", { class: "lenet-operator" }, text);
    const parts = [name, patch.canvas, sign("×"), kernel.canvas, sign("="), products.canvas, sum, this.#totals.cells[i]];
    const node = element("button", { type: "button", class: "lenet-channel", onclick: () => onChoose(this.shown[i].channel) }, ...parts);
    return { node, name, patch, kernel, products, sum };
  }

  /**
   * @param {Weighted[]} patches @param {number[]} sums  of the patches, as they are shown
   * @param {number | null} bias  as it is shown
   * @param {Scale} below  of the maps that the patches come from @param {Scale} signed  a palette below and above zero
   */
  show(patches, sums, bias, below, signed) {
    const count = this.#rows.length;
    const order = patches.map((_, i) => i);
    const strongest = count < patches.length ? order.sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a])).slice(0, count).sort((a, b) => a - b) : order;
    const scaled = (/** @type {number} */ limit) => ({ palette: signed.palette, range: () => /** @type {[number, number]} */ ([-limit, limit]) });
    const kernels = scaled(limitOf(patches.flatMap(({ kernel }) => kernel.flat())));
    const products = scaled(limitOf(patches.flatMap((patch) => patch.products.flat())));
    this.shown = strongest.map((i) => patches[i]);
    this.#rows.forEach((row, i) => {
      const patch = this.shown[i];
      setText(row.name, String(patch.channel));
      row.patch.show(patch.values, below, patch.channel);
      row.kernel.show(patch.kernel, kernels, 0);
      row.products.show(patch.products, products, 0);
      const sum = signedText(sums[strongest[i]]);
      setText(row.sum, sum);
      row.node.setAttribute("aria-label", `channel ${patch.channel}: products add up to ${sum}; show them`);
    });
    const terms = strongest.map((i) => sums[i]);
    if (this.#others) {
      const rest = sumOf(sums) - sumOf(terms);
      setText(this.#others.name, `the other ${patches.length - count} channels`);
      setText(this.#others.figure, signedText(rest));
      terms.push(rest);
    }
    if (this.bias && bias !== null) {
      setText(this.bias.figure, signedText(bias));
      terms.push(bias);
    }
    this.#totals.show(terms);
  }

  /** Where the row of each shown channel is. @returns {HTMLElement[]} */
  get anchors() {
    return this.#rows.map(({ node }) => node);
  }
}

/** A row without pictures. @param {string} text @param {HTMLElement} total */
function plainRow(text, total) {
  const [name, figure] = [element("span", { class: "lenet-plain-name" }, text), element("span", { class: "lenet-figure" })];
  return { node: element("div", { class: "lenet-channel" }, name, figure, total), name, figure };
}
