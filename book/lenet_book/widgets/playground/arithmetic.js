// @ts-check
/** The sum behind one output number: patch × kernel = products, in figures and in words. */
import { element, setText } from "../shared/elements.js";
import { giveUpByEscape } from "../shared/fields.js";
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("../stage/explanation.js").Arithmetic} Arithmetic */
/** @typedef {import("../stage/explanation.js").Patch} Patch */
/** @typedef {Extract<Arithmetic, { kind: "conv" | "maxPool" | "avgPool" }>} Sum */

/** How many decimals all of the numbers need, up to 4; undefined if that is not enough. @param {number[]} numbers */
function decimalsOf(numbers) {
  const isShort = (/** @type {number} */ number, /** @type {number} */ decimals) =>
    Math.abs(number - Number(number.toFixed(decimals))) <= 2e-7 + 1e-6 * Math.abs(number); // as exact as float32
  return [0, 1, 2, 3, 4].find((decimals) => numbers.every((number) => isShort(number, decimals)));
}

/** Write a number with no more decimals than it needs, or than there may be. @param {number} value @param {number} [most] */
export function briefly(value, most = 4) {
  return value === -Infinity ? "−∞" : numberText(value, Math.min(most, decimalsOf([value]) ?? 4));
}

/** Write a weight as one would type it: 0.25, 1/3. @param {number} weight */
export function weightText(weight) {
  if (decimalsOf([weight]) !== undefined) return briefly(weight);
  const wholes = Array.from({ length: 98 }, (_, i) => i + 2);
  const below = wholes.find((whole) => Math.abs(weight * whole - Math.round(weight * whole)) < 1e-7);
  return (below ? `${Math.round(weight * below)}/${below}` : String(weight)).replaceAll("-", "−");
}

/** Read a weight, a number or a fraction; NaN if it is neither. @param {string} text */
export function parseWeight(text) {
  const parts = text.replaceAll("−", "-").split("/").map((part) => (part.trim() ? Number(part) : NaN));
  const weight = parts[0] / (parts[1] ?? 1);
  return parts.length < 3 && Number.isFinite(weight) ? weight : NaN;
}

/**
 * Round products so that what is shown adds up: with all their decimals or, where those are too
 * many, up or down so that their sum is the nearest one to the true sum.
 *
 * @param {number[]} products
 */
export function shownProducts(products) {
  const needed = decimalsOf(products);
  const decimals = needed ?? Math.max(2, 2 - Math.ceil(Math.log10(Math.max(...products.map(Math.abs)))));
  const units = products.map((product) => product * 10 ** decimals);
  const rounded = units.map((unit) => Math.floor(unit + 1e-6));
  const numUp = Math.round(sumOf(units)) - sumOf(rounded);
  const rest = (/** @type {number} */ index) => units[index] - rounded[index];
  for (const index of [...units.keys()].sort((a, b) => rest(b) - rest(a)).slice(0, numUp)) rounded[index] += 1;
  return { terms: rounded.map((unit) => unit / 10 ** decimals), decimals, isExact: needed !== undefined };
}

/** What comes out: how, exactly, as it is shown, and in words. @param {Sum} sum */
export function outcomeOf(sum) {
  const { isInside } = sum.kind === "conv" ? sum.patches[0] : sum.patch;
  const number = isInside.flat().length;
  if (sum.kind === "maxPool") {
    const text = briefly(sum.result);
    return { how: "largest", exact: sum.result, text, words: `the largest of ${number} numbers is ${text}` };
  }
  if (sum.kind === "avgPool") {
    const [exact, text] = [sum.sum / sum.divisor, briefly(sum.sum / sum.divisor)];
    const words = `the sum of ${number} numbers, divided by ${sum.divisor}, is ${text}`;
    return { how: `sum ${briefly(sum.sum)} / ${sum.divisor}`, exact, text, words };
  }
  const { terms, decimals } = shownProducts(sum.patches[0].products.flat());
  const text = numberText(sumOf(terms), decimals);
  return { how: "sum", exact: sum.patches[0].sum, text, words: `the sum of ${number === 1 ? "1 product" : `${number} products`} is ${text}` };
}

/** Shows how a number comes about. The kernel's weights among it stay where they are: they may be being typed in. */
export class Workings {
  #patch = element("span");
  #outcome = element("span");
  #weights;

  /** @param {Node} kernel  the table of weights */
  constructor(kernel) {
    this.#weights = sign("×", kernel);
    this.node = element("div", { class: "lenet-sums" }, this.#patch, this.#weights, this.#outcome);
  }

  /** @param {Sum} sum */
  show(sum) {
    const { how, exact, text } = outcomeOf(sum);
    const result = sign(`→ ${how} = `, element("strong", { class: "lenet-mono lenet-result", title: numberText(exact, 9) }, text));
    const isConvolution = sum.kind === "conv";
    this.#weights.hidden = !isConvolution;
    this.#patch.replaceChildren(isConvolution ? figures("patch", sum.patches[0])
      : figures("patch", sum.patch, sum.kind === "maxPool" ? { outside: -Infinity, winner: sum.winner } : {}));
    this.#outcome.replaceChildren(...(isConvolution ? [sign("=", productFigures(sum.patches[0]))] : []), result);
  }
}

/** @param {import("../stage/explanation.js").Weighted} patch */
function productFigures(patch) {
  const { terms, decimals, isExact } = shownProducts(patch.products.flat());
  const width = patch.columns.length;
  const texts = patch.rows.map((_, row) => terms.slice(row * width, (row + 1) * width).map((term) => numberText(term, decimals)));
  const titles = patch.values.map((line, row) => line.map((value, column) =>
    `${value} × ${weightText(patch.kernel[row][column])} = ${briefly(patch.products[row][column], 9)}`));
  return figures(isExact ? "products" : "products, rounded to add up", patch, { texts, titles });
}

/** @param {...(Node | string)} children */
function sign(...children) {
  return element("span", { class: "lenet-sign" }, ...children);
}

/**
 * @param {string} caption @param {Patch} patch
 * @param {{ outside?: number, winner?: [number, number], texts?: string[][], titles?: string[][] }} [look]  `outside` is what stands in the padding
 */
function figures(caption, { values, isInside }, { outside = 0, winner, titles, texts } = {}) {
  const written = texts ?? values.map((line, row) => line.map((value, column) => briefly(isInside[row][column] ? value : outside)));
  const cells = written.flatMap((line, row) => line.map((text, column) => {
    const isWinner = winner?.[0] === row && winner[1] === column;
    const look = `${isInside[row][column] ? "" : "lenet-outside"} ${isWinner ? "lenet-winner" : ""}`;
    return element("span", { class: look, title: titles?.[row][column] }, text);
  }));
  const label = `${caption}: ${written.map((line) => line.join(" ")).join("; ")}`;
  const attributes = { role: "img", "aria-label": label, style: `--columns: ${written[0].length}` };
  return captioned(caption, element("span", { class: "lenet-figures lenet-mono", ...attributes }, ...cells));
}

/** @param {string} caption @param {Node} table */
function captioned(caption, table) {
  return element("span", { class: "lenet-part" }, element("span", { class: "lenet-muted", "aria-hidden": "true" }, caption), table);
}

/** The weights, to be changed by the reader. What is typed stays as it is, even what is no number. */
export class KernelTable {
  #changed;
  /** What the cells mean; where one holds no number, what it meant before. @type {number[][]} */
  #kernel = [[]];
  #table = element("span", { class: "lenet-figures lenet-mono", role: "group", "aria-label": "kernel weights" });
  node = captioned("kernel", this.#table);
  problem = element("p", { class: "lenet-problem", role: "status" });

  /** @param {(kernel: number[][]) => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {number[][]} kernel */
  show(kernel) {
    const before = this.#kernel;
    this.#kernel = kernel;
    const isOfSize = before.length === kernel.length && before[0].length === kernel[0].length;
    if (!isOfSize) this.#build(kernel);
    const [old, now] = [before.flat(), kernel.flat()];
    this.#inputs.forEach((input, index) => {
      if (isOfSize && old[index] === now[index]) return;
      input.value = weightText(now[index]);
      input.removeAttribute("aria-invalid");
    });
    this.#complain();
  }

  get #inputs() {
    return [...this.#table.querySelectorAll("input")];
  }

  /** @param {number[][]} kernel */
  #build(kernel) {
    this.#table.style.setProperty("--columns", String(kernel[0].length));
    this.#table.replaceChildren(...kernel.flatMap((line, row) => line.map((_, column) => {
      const label = `kernel weight, row ${row}, column ${column}`;
      const input = element("input", { "aria-label": label, autocomplete: "off", oninput: () => this.#take(input, row, column) });
      giveUpByEscape(input);
      return input;
    })));
  }

  /** @param {HTMLInputElement} input @param {number} row @param {number} column */
  #take(input, row, column) {
    const weight = parseWeight(input.value);
    input.setAttribute("aria-invalid", String(Number.isNaN(weight)));
    if (Number.isNaN(weight)) return this.#complain();
    this.#kernel = this.#kernel.map((line, y) => line.map((old, x) => (y === row && x === column ? weight : old)));
    this.#changed(this.#kernel);
  }

  /** Say which cell holds no number. */
  #complain() {
    const index = this.#inputs.findIndex((input) => input.getAttribute("aria-invalid") === "true");
    const typed = this.#inputs[index]?.value.trim();
    setText(this.problem, index < 0 ? "" : `${typed ? `“${typed}” is no number` : "An empty cell is no number"}: type one ` +
      `such as 12, −0.25 or 1/3. Until then the weight stays ${weightText(this.#kernel.flat()[index])}.`);
  }
}
