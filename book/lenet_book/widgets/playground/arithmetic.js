// @ts-check
/** The sum behind one output number: patch × kernel = products, in figures and in words. */
import { element } from "../shared/elements.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("../stage/explanation.js").Arithmetic} Arithmetic */
/** @typedef {import("../stage/explanation.js").Patch} Patch */
/** @typedef {Extract<Arithmetic, { kind: "conv" | "maxPool" | "avgPool" }>} Sum */

/** Write a number briefly. @param {number} value */
export function briefly(value) {
  return value === -Infinity ? "−∞" : numberText(value, Number.isInteger(value) ? 0 : 1);
}

/** @param {number} value */
function precisely(value) {
  return value === -Infinity ? "−∞" : String(Number(value.toFixed(4)) || 0).replace("-", "−");
}

/** The number that comes out, before it is stored in single precision. @param {Sum} sum */
function resultOf(sum) {
  if (sum.kind === "conv") return sum.patches[0].sum;
  return sum.kind === "avgPool" ? sum.sum / sum.divisor : sum.result;
}

/** Say in words how one output number comes about. @param {Sum} sum */
export function inWords(sum) {
  const { isInside } = sum.kind === "conv" ? sum.patches[0] : sum.patch;
  const number = isInside.flat().length;
  const result = precisely(resultOf(sum));
  if (sum.kind === "maxPool") return `the largest of ${number} numbers is ${result}`;
  if (sum.kind === "avgPool") return `the sum of ${number} numbers, divided by ${sum.divisor}, is ${result}`;
  return `the sum of ${number === 1 ? "1 product" : `${number} products`} is ${result}`;
}

/**
 * Show how it comes about.
 *
 * @param {Sum} sum @param {Node} kernel  the table of weights
 */
export function inFigures(sum, kernel) {
  const outcome = (/** @type {string} */ how) =>
    sign(`→ ${how} = `, element("strong", { class: "lenet-mono lenet-result" }, precisely(resultOf(sum))));
  if (sum.kind === "maxPool") return [figures("patch", sum.patch, -Infinity, sum.winner), outcome("largest")];
  if (sum.kind === "avgPool") return [figures("patch", sum.patch), outcome(`sum ${briefly(sum.sum)} / ${sum.divisor}`)];
  const [patch] = sum.patches;
  const products = figures("products", { ...patch, values: patch.products });
  return [figures("patch", patch), sign("×"), kernel, sign("="), products, outcome("sum")];
}

/** @param {...(Node | string)} children */
function sign(...children) {
  return element("span", { class: "lenet-sign" }, ...children);
}

/**
 * @param {string} caption @param {Patch} patch @param {number} [outside]  what stands in the padding
 * @param {[number, number]} [winner]
 */
function figures(caption, { values, isInside }, outside = 0, winner) {
  const texts = values.map((line, row) => line.map((value, column) => briefly(isInside[row][column] ? value : outside)));
  const cells = texts.flatMap((line, row) => line.map((text, column) => {
    const isWinner = winner?.[0] === row && winner[1] === column;
    return element("span", { class: `${isInside[row][column] ? "" : "lenet-outside"} ${isWinner ? "lenet-winner" : ""}` }, text);
  }));
  const label = `${caption}: ${texts.map((line) => line.join(" ")).join("; ")}`;
  const attributes = { role: "img", "aria-label": label, style: `--columns: ${texts[0].length}` };
  return captioned(caption, element("span", { class: "lenet-figures lenet-mono", ...attributes }, ...cells));
}

/** @param {string} caption @param {Node} table */
function captioned(caption, table) {
  return element("span", { class: "lenet-part" }, element("span", { class: "lenet-muted", "aria-hidden": "true" }, caption), table);
}

/** The weights, to be changed by the reader. */
export class KernelTable {
  #changed;
  #size = "";
  #table = element("span", { class: "lenet-figures lenet-mono", role: "group", "aria-label": "kernel weights" });
  node = captioned("kernel", this.#table);

  /** @param {(row: number, column: number, weight: number) => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {number[][]} kernel */
  show(kernel) {
    const size = `${kernel.length}×${kernel[0].length}`;
    if (size !== this.#size) this.#build(kernel);
    this.#size = size;
    this.#table.querySelectorAll("input").forEach((input, index) => {
      const text = briefly(kernel.flat()[index]);
      if (document.activeElement !== input) input.value = text;
    });
  }

  /** @param {number[][]} kernel */
  #build(kernel) {
    this.#table.style.setProperty("--columns", String(kernel[0].length));
    this.#table.replaceChildren(...kernel.flatMap((line, row) => line.map((_, column) => {
      const label = `kernel weight, row ${row}, column ${column}`;
      const input = element("input", {
        "aria-label": label,
        autocomplete: "off",
        oninput: () => {
          const weight = Number(input.value.replace("−", "-"));
          if (input.value.trim() && Number.isFinite(weight)) this.#changed(row, column, weight);
        },
      });
      return input;
    })));
  }
}
