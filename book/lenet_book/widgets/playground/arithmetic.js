// @ts-check
// The sum behind one output number: patch × kernel = products, in figures and in words.

import { element } from "../shared/elements.js";
import { briefly } from "./scene.js";

/** @typedef {import("./values.js").Operation} Operation */
/** @typedef {import("./values.js").Stop} Stop */
/** @typedef {import("./values.js").Tap} Tap */

/**
 * Show how one output number comes about.
 *
 * @param {Operation} operation @param {Stop} stop @param {Node | null} kernel the table of weights
 */
export function arithmetic(operation, stop, kernel) {
  const patch = figures("patch", stop.taps, (tap) => briefly(tap.value), (tap) => tap === stop.winner);
  const outcome = (/** @type {string} */ how) => element("span", { class: "sign" }, `→ ${how} = `,
    element("strong", { class: "lenet-mono result" }, precisely(stop.result)));
  if (operation === "max") return [patch, outcome("largest")];
  if (operation === "avg") {
    const sum = stop.taps.flat().reduce((total, tap) => total + tap.value, 0);
    return [patch, outcome(`sum ${briefly(sum)} / ${stop.divisor}`)];
  }
  const products = figures("products", stop.taps, (tap) => briefly(tap.value * tap.weight || 0));
  return [patch, sign("×"), ...(kernel ? [kernel] : []), sign("="), products, outcome("sum")];
}

/**
 * Say in words what `arithmetic` shows.
 *
 * @param {Operation} operation @param {Stop} stop
 */
export function inWords(operation, { taps, result, divisor }) {
  const number = taps.flat().length;
  if (operation === "max") return `the largest of ${number} numbers is ${precisely(result)}`;
  if (operation === "avg") return `the sum of ${number} numbers, divided by ${divisor}, is ${precisely(result)}`;
  return `the sum of ${number === 1 ? "1 product" : `${number} products`} is ${precisely(result)}`;
}

/** @param {number} value */
function precisely(value) {
  if (value === -Infinity) return "−∞";
  return String(Number(value.toFixed(4)) || 0).replace("-", "−");
}

/** @param {string} text */
function sign(text) {
  return element("span", { class: "sign" }, text);
}

/**
 * @param {string} caption @param {Tap[][]} taps @param {(tap: Tap) => string} text
 * @param {(tap: Tap) => boolean} [standsOut]
 */
function figures(caption, taps, text, standsOut = (_) => false) {
  const cells = taps.flat().map((tap) =>
    element("span", { class: `${tap.inside ? "" : "outside"} ${standsOut(tap) ? "winner" : ""}` }, text(tap)));
  const label = `${caption}: ${taps.map((line) => line.map(text).join(" ")).join("; ")}`;
  const columns = `--columns: ${taps[0].length}`;
  const table = element("span", { class: "figures lenet-mono", role: "img", "aria-label": label, style: columns }, ...cells);
  return element("span", { class: "part" }, element("span", { class: "lenet-muted", "aria-hidden": "true" }, caption), table);
}

/** The weights, to be changed by the reader. */
export class KernelTable {
  /** @param {(row: number, column: number, weight: number) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.table = element("span", { class: "figures lenet-mono", role: "group", "aria-label": "kernel weights" });
    this.node = element("span", { class: "part" }, element("span", { class: "lenet-muted", "aria-hidden": "true" }, "kernel"), this.table);
    this.size = "";
  }

  /** @param {number[][]} kernel */
  show(kernel) {
    const size = `${kernel.length}×${kernel[0].length}`;
    if (size !== this.size) this.build(kernel);
    this.size = size;
    this.table.querySelectorAll("input").forEach((input, index) => {
      const text = briefly(kernel[Math.floor(index / kernel[0].length)][index % kernel[0].length]);
      if (document.activeElement !== input) input.value = text;
    });
  }

  /** @param {number[][]} kernel */
  build(kernel) {
    this.table.style.setProperty("--columns", String(kernel[0].length));
    this.table.replaceChildren(...kernel.flatMap((line, row) => line.map((_, column) => {
      const label = `kernel weight, row ${row}, column ${column}`;
      const oninput = (/** @type {InputEvent} */ event) => {
        const { value } = /** @type {HTMLInputElement} */ (event.target);
        const weight = Number(value.replace("−", "-"));
        if (value.trim() && Number.isFinite(weight)) this.changed(row, column, weight);
      };
      return element("input", { "aria-label": label, autocomplete: "off", oninput });
    })));
  }
}
