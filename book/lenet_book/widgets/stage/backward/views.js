// @ts-check
/** How the gradient of one number came about: the loss class by class, maps times maps, a window, a curve, or a table of products. */
import { decimalsFor, shortText } from "./figures.js";
import { WindowGrid, signedPaint } from "../grids.js";
import { RuleCurve } from "../lines.js";
import { limitOf, signedPalette, symmetricScale } from "../maps.js";
import { addUp, signedText } from "../sums.js";
import { Tile, fillRows, runningTotal, tableOf } from "../terms.js";
import { button, element, setAttribute } from "../../shared/elements.js";
import { sumOf } from "../../shared/numbers.js";
import { numberText } from "../../shared/text.js";

const MOST_TERMS_SHOWN = 10;
const LINE = 24; // CSS pixels

export class RuleViews {
  #state; #room; #tell;

  /** @param {State} state @param {HTMLElement} room @param {SideListener} tell */
  constructor(state, room, tell) {
    this.#state = state;
    this.#room = room;
    this.#tell = tell;
  }

  /**
   * Show how a gradient came about, or without one the loss.
   *
   * @param {Explained | null} explained @param {Gradients} gradients @param {Theme} theme
   * @returns {string}  what stands before the result
   */
  show(explained, gradients, theme) {
    const { activeElement } = document;
    if (!explained) return this.#showLoss(gradients);
    if (this.#room.contains(activeElement)) /** @type {HTMLElement} */ (activeElement).blur();
    const { maps, window: pooled, curve, line = "" } = explained;
    if (maps) this.#showMaps(maps, theme);
    else if (pooled) this.#showWindow(pooled, theme);
    else if (curve) return this.#showCurve(explained.result, curve);
    else return this.#showTerms(explained);
    return line;
  }

  /** The classes with their shares, and what is said of them, which can be changed here. @param {Gradients} gradients */
  #showLoss({ shares }) {
    const { classes } = this.#state.meta;
    const { label } = this.#state;
    const ranked = Array.from(shares, (_, i) => i).sort((a, b) => Number(b === label) - Number(a === label) || shares[b] - shares[a]);
    const shown = ranked.slice(0, MOST_TERMS_SHOWN).sort((a, b) => a - b);
    const high = Math.min(22, Math.floor((this.#room.clientHeight - (this.#room.clientWidth < 400 ? 84 : 46)) / (shown.length + 1)));
    if (this.#room.querySelector("[data-high]")?.getAttribute("data-high") !== String(high)) {
      const buttons = classes.slice(0, 20).map((name, i) => button(name, () => this.#tell.label(i)));
      const say = element("div", { class: "lenet-say", role: "group", "aria-label": "What the picture is" }, "It is", ...buttons);
      const table = tableOf(["class", "share p", "right y", "p − y"], element("tbody", {}), high);
      this.#room.replaceChildren(element("div", { class: "lenet-loss", "data-high": high }, say, table));
    }
    [...this.#room.querySelectorAll("button")].forEach((node, i) => setAttribute(node, "aria-pressed", String(i === label)));
    const body = /** @type {HTMLTableSectionElement} */ (this.#room.querySelector("tbody"));
    fillRows(body, shown.map((i) => {
      const right = Number(i === label);
      return [classes[i], numberText(shares[i]), String(right), signedText(shares[i] - right, 4)];
    }));
    shown.forEach((i, row) => (body.rows[row].className = i === label ? "lenet-lit" : ""));
    return `loss = −log(${shortText(shares[label])}) = `;
  }

  /** What a weight saw, times the gradients of its map. @param {NonNullable<Explained["maps"]>} maps @param {Theme} theme */
  #showMaps({ shape: [rows, columns], saw, map }, theme) {
    const side = Math.min((this.#room.clientWidth - 60) / 3 / columns, (this.#room.clientHeight - 28) / rows, 14);
    const gradients = /** @type {[string, number[]]} */ ([`${saw ? "× " : ""}gradient of its map`, map]);
    const parts = [gradients];
    if (saw) parts.unshift(["what the weight saw", saw]);
    if (saw) parts.push(["= products", saw.map((value, i) => value * map[i])]);
    const palette = signedPalette(theme);
    this.#room.replaceChildren(element("div", { class: "lenet-products" }, ...parts.map(([title, values]) => {
      const tile = new Tile(rows, columns, Math.max(1, side));
      tile.paint(values, symmetricScale(palette, limitOf(values)));
      return element("figure", {}, element("figcaption", {}, title), tile.canvas);
    })));
  }

  /** @param {ArithmeticOf<"maxPool">} pooled @param {Theme} theme */
  #showWindow(pooled, theme) {
    const { patch } = pooled;
    const view = new WindowGrid(patch, this.#room.clientWidth, this.#room.clientHeight);
    const limit = limitOf(this.#state.engine.values[this.#state.steps[this.#state.step].inputs[0]]);
    this.#room.replaceChildren(view.node);
    view.show(pooled, { paintOf: () => signedPaint(limit, theme) });
  }

  /** @param {number} result @param {NonNullable<Explained["curve"]>} curve */
  #showCurve(result, { at: index, slope, gradient }) {
    const { engine, steps, step } = this.#state;
    const [value, came] = [engine.values[steps[step].inputs[0]][index], engine.values[step][index]];
    const view = new RuleCurve();
    this.#room.replaceChildren(view.node);
    view.show({ value, result: came }, { state: this.#state });
    const [at, steep] = [value, slope].map((number) => numberText(number, 2));
    const decimals = decimalsFor(Math.max(Math.abs(gradient), Math.abs(result)));
    return `at ${at} the slope is ${steep}: ${numberText(gradient, decimals)} × ${steep} = `;
  }

  /** The strongest products in a table, and how they add up. @param {Explained} explained */
  #showTerms({ terms, head, result }) {
    const room = Math.max(2, Math.min(MOST_TERMS_SHOWN, Math.floor(this.#room.clientHeight / LINE) - 1));
    const sorted = [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
    const isCut = sorted.length > room;
    const shown = sorted.slice(0, isCut ? room - 1 : room);
    const others = sorted.slice(shown.length);
    const rest = { name: `the other ${others.length}`, factors: [], product: sumOf(others.map(({ product }) => product)) };
    if (others.length) shown.push(rest);
    const decimals = decimalsFor(Math.max(...shown.map(({ product }) => Math.abs(product)), Math.abs(result)));
    const sums = addUp(shown.map(({ product }) => product), result, decimals).terms;
    const total = runningTotal(shown.length);
    const body = element("tbody", {});
    this.#room.replaceChildren(tableOf([...head, "product", "so far"], body, LINE));
    fillRows(body, shown.map(({ name, factors }, i) => {
      const cells = head.slice(1).map((_, at) => (at in factors ? `${at ? "× " : ""}${shortText(factors[at])}` : ""));
      return [name, ...cells, signedText(sums[i], decimals)];
    }), total.cells);
    total.show(sums);
    return terms.length > 1 ? `${terms.length} terms. Their sum is ` : "";
  }
}
