// @ts-check
/** How the gradient of one number came about: the loss class by class, maps times maps, a window, a curve, or a table of products. */
import { arithmeticOf } from "../explanation.js";
import { WindowGrid, signedPaint } from "../grids.js";
import { RuleCurve } from "../lines.js";
import { limitOf } from "../maps.js";
import { SumPanel } from "../operation.js";
import { signedText } from "../sums.js";
import { Tile, Waterfall, fillRows, tableOf } from "../terms.js";
import { placeName, unitText } from "../words.js";
import { button, element, setAttribute } from "../../shared/elements.js";
import { sumOf } from "../../shared/numbers.js";
import { decimalsFor, numberText, shortText } from "../../shared/text.js";

/** What the row of a term begins with, and the term. @typedef {{ cells: string[], product: number }} Row */

const [LEAST_ROWS, MOST_ROWS] = [3, 10]; // of classes
const LOWEST_ROW = 14; // CSS pixels
const MOST_BUTTONS = 20;
const CURVES = ["relu", "leakyRelu", "elu", "gelu", "tanh", "sigmoid", "affine"];
const NOT_ALL = 1e-4;
const OF_WEIGHT = /** @type {const} */ ([["what the weight saw", "factor"], ["× gradient of its map", "gradient"], ["= products", "product"]]);
const OF_BIAS = /** @type {const} */ ([["gradient of its map", "gradient"]]);

export class RulePanel extends SumPanel {
  #state; #buttons; #say; #loss;
  #table = tableOf(["class", "share p", "right y", "p − y"], element("tbody", {}));

  /** @param {State} state @param {SideListener} tell */
  constructor(state, tell) {
    super("the rule");
    this.#state = state;
    this.#buttons = state.meta.classes.slice(0, MOST_BUTTONS).map((name, i) => button(name, () => tell.label(i)));
    this.#say = element("div", { class: "lenet-say", role: "group", "aria-label": "What the picture is" }, "It is", ...this.#buttons);
    this.#loss = element("div", { class: "lenet-loss" }, this.#say, this.#table);
  }

  /** The classes with their shares, and what is said of them, which can be changed here. @param {number[]} shares @returns {string}  what stands before the loss */
  showLoss(shares) {
    const { label, meta: { classes } } = this.#state;
    if (!this.work.contains(this.#loss)) this.work.replaceChildren(this.#loss);
    const ranked = [...shares.keys()].sort((a, b) => Number(b === label) - Number(a === label) || shares[b] - shares[a]);
    const room = this.work.clientHeight - this.#say.offsetHeight - 14;
    const fit = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(room / LOWEST_ROW) - 1));
    const shown = ranked.slice(0, fit).sort((a, b) => a - b);
    const high = Math.min(22, Math.floor(room / (shown.length + 1)));
    this.#table.style.setProperty("--row", `${high}px`);
    this.#buttons.forEach((node, i) => setAttribute(node, "aria-pressed", String(i === label)));
    const differences = shown.map((i) => signedText(shares[i] - Number(i === label), 4));
    fillRows(this.#table.tBodies[0], shown.map((i, row) => [classes[i], numberText(shares[i]), String(Number(i === label)), differences[row]]));
    shown.forEach((i, row) => (this.#table.tBodies[0].rows[row].className = i === label ? "lenet-lit" : ""));
    const share = shares[label];
    return `loss = −ln(${share > 0.9 ? numberText(share, 5) : shortText(share)}) = `;
  }

  /**
   * Show how a gradient came about.
   *
   * @param {Picked} picked @param {GradientTerm[]} terms @param {number} total  the gradient @param {Theme} theme
   * @returns {string}  what stands before it
   */
  show({ role, at }, terms, total, theme) {
    const { steps, step } = this.#state;
    const { kind, shape } = steps[step];
    const rest = total - sumOf(terms.map(({ product }) => product));
    /** @type {Row[]} */
    const others = Math.abs(rest) > NOT_ALL * Math.abs(total) ? [{ cells: ["by other ways"], product: rest }] : [];
    if (role !== "unit" && shape.length === 3) return this.#showMaps(role, terms);
    if (kind === "conv") return this.#showTable(["gradients × kernel of"], [...byFilter(terms), ...others], total);
    const isGate = (kind === "maxPool" && terms.length) || (CURVES.includes(kind) && !others.length);
    if (isGate) return this.#showGate(terms.find(({ factor }) => factor) ?? terms[0], total, theme);
    const rows = terms.map(({ unit, factor, gradient, product }) => {
      const name = kind === "linear" ? `output ${unit}${role === "weight" ? ` × ${placeName(steps, step, at[1])}` : ""}` : unitText(unit);
      return { cells: [name, shortText(gradient), `× ${shortText(factor)}`], product };
    });
    return this.#showTable(["from", "gradient", "× how much it moves"], [...rows, ...others], total);
  }

  /** What a weight saw, times the gradients of its map; a bias saw nothing. @param {Picked["role"]} role @param {GradientTerm[]} terms */
  #showMaps(role, terms) {
    const { steps, step, scales } = this.#state;
    const [, rows, columns] = steps[step].shape;
    const side = Math.min((this.work.clientWidth - 60) / 3 / columns, (this.work.clientHeight - 46) / rows, 14);
    const figures = (role === "bias" ? OF_BIAS : OF_WEIGHT).map(([title, part]) => {
      const values = terms.map((term) => term[part]);
      const picture = new Tile(rows, columns, Math.max(1, side)).paint(values, scales.around0(values));
      return element("figure", {}, element("figcaption", {}, title), picture);
    });
    this.work.replaceChildren(element("div", { class: "lenet-products" }, ...figures));
    const what = role === "bias" ? "gradient" : "product";
    return terms.length === 1 ? `one place, one ${what}: ` : `${terms.length} places, ${terms.length} ${what}s. Their sum is `;
  }

  /** How the number itself came about, which decides what goes through: in its window, or by a curve. @param {GradientTerm} term @param {number} total @param {Theme} theme */
  #showGate({ unit, factor, gradient }, total, theme) {
    const { engine, steps, step, limits } = this.#state;
    const arithmetic = arithmeticOf(engine, step, unit);
    const view = arithmetic.kind === "maxPool" ? new WindowGrid(arithmetic.patch, this.work.clientWidth, this.work.clientHeight) : new RuleCurve();
    this.work.replaceChildren(view.node);
    view.show(/** @type {any} */ (arithmetic), { state: this.#state, paintOf: () => signedPaint(limits[steps[step].inputs[0]], theme) });
    if (arithmetic.kind !== "pointwise") return factor ? "It is the largest of its window, and gets its gradient: " : "Another is the largest of its window; here goes on ";
    const arriving = numberText(gradient, decimalsFor(limitOf([gradient, total])));
    const [value, slope] = [arithmetic.value, factor].map((number) => numberText(number, 2));
    return `at ${value} the slope is ${slope}: ${arriving} × ${slope} = `;
  }

  /** The strongest products, and how they add up. @param {string[]} head @param {Row[]} rows @param {number} total */
  #showTable(head, rows, total) {
    const contributions = rows.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
    const sum = { contributions, bias: null, result: total };
    const table = new Waterfall(sum, this.work.clientHeight, head, ({ cells }) => cells);
    this.work.replaceChildren(table.node);
    table.show(sum, { state: this.#state }, decimalsFor(limitOf([...rows.map(({ product }) => product), total])));
    return rows.length > 1 ? `${rows.length} terms. Their sum is ` : "";
  }
}

/** The products of each filter, added up. @param {GradientTerm[]} terms @returns {Row[]} */
function byFilter(terms) {
  return [...new Set(terms.map(({ unit: [filter] }) => filter))].map((filter) => {
    const own = terms.filter(({ unit, factor }) => unit[0] === filter && factor);
    return { cells: [`filter ${filter}${own.length > 1 ? `, ${own.length} places` : ""}`], product: sumOf(own.map(({ product }) => product)) };
  });
}
