// @ts-check
/** The sum of a linear layer: its strongest terms, all others, the bias, and how they add up. */
import { signedText } from "./sums.js";
import { runningTotal } from "./totals.js";
import { element, setText } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("./explanation.js").Contribution} Contribution */

const ROW = 30; // CSS pixels
const MAX_ROWS = 12;

export class Waterfall {
  #rows; #totals; #count; #isCut;
  /** The inputs that the rows show, from top to bottom. @type {Contribution[]} */
  shown = [];

  /** @param {number} numTerms @param {boolean} hasBias @param {number} height */
  constructor(numTerms, hasBias, height) {
    const room = Math.min(MAX_ROWS, Math.floor((height - 24) / 24)) - Number(hasBias);
    this.#isCut = numTerms > room;
    this.#count = this.#isCut ? Math.max(1, room - 1) : numTerms;
    const numRows = this.#count + Number(this.#isCut) + Number(hasBias);
    const rowHeight = Math.min(ROW, (height - 24) / numRows);
    this.#totals = runningTotal(numRows);
    this.#rows = Array.from({ length: numRows }, (_, i) => termRow(this.#totals.cells[i]));
    const head = ["input", "its value", "× weight", "product", "so far"].map((text) => element("th", { scope: "col" }, text));
    const body = element("tbody", {}, ...this.#rows.map(({ node }) => node));
    this.node = element("table", { class: "lenet-terms", style: `--row: ${rowHeight}px` }, element("thead", {}, element("tr", {}, ...head)), body);
  }

  /** How many inputs have a row of their own. */
  get numShown() {
    return this.#count;
  }

  /**
   * @param {Contribution[]} contributions  the strongest first
   * @param {number[]} terms  as shown: of each row, one after the other
   * @param {(index: number) => string} nameOf
   */
  show(contributions, terms, nameOf) {
    this.shown = contributions.slice(0, this.#count);
    this.#rows.forEach(({ name, value, weight, product }, i) => {
      const term = this.shown[i];
      const rest = this.#isCut && i === this.#count;
      setText(name, term ? nameOf(term.index) : rest ? `the other ${contributions.length - this.#count}` : "bias");
      setText(value, term ? numberText(term.input) : "");
      setText(weight, term ? `× ${numberText(term.weight)}` : "");
      setText(product, signedText(terms[i]));
    });
    this.#totals.show(terms);
  }

  /** @returns {HTMLElement[]} */
  get anchors() {
    return this.#rows.slice(0, this.#count).map(({ node }) => node);
  }
}

/** @param {HTMLElement} total */
function termRow(total) {
  const name = element("th", { scope: "row" });
  const [value, weight, product] = [element("td", {}), element("td", {}), element("td", { class: "lenet-figure" })];
  return { node: element("tr", {}, name, value, weight, product, element("td", {}, total)), name, value, weight, product };
}

/** The terms of the rows: the strongest, the rest together, the bias. @param {Contribution[]} contributions @param {number} numShown @param {number | null} bias */
export function termsOf(contributions, numShown, bias) {
  const products = contributions.map(({ product }) => product);
  const rest = products.length > numShown ? [sumOf(products.slice(numShown))] : [];
  return [...products.slice(0, numShown), ...rest, ...(bias === null ? [] : [bias])];
}
