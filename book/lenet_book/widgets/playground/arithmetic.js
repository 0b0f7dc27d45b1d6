// @ts-check
/** The sum behind one output number: patch × kernel = products, in figures and in words. */
import { element, setText } from "../shared/elements.js";
import { textField } from "../shared/fields.js";
import { sumOf } from "../shared/numbers.js";
import { decimalsFor, numberText } from "../shared/text.js";
import { addUp } from "../stage/sums.js";

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

/** Round products so that what is shown adds up: with all their decimals, unless those are too many. @param {number[]} products */
export function shownProducts(products) {
  const needed = decimalsOf(products);
  const decimals = needed ?? decimalsFor(Math.max(...products.map(Math.abs)), 2);
  const { terms, total } = addUp(products, sumOf(products), decimals);
  const texts = terms.map((term) => numberText(term, decimals));
  return { texts, total: numberText(total, decimals), isExact: needed !== undefined };
}

/** What comes out: how, exactly, as it is shown, and in words. @param {WindowSum} sum */
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
  const text = shownProducts(sum.patches[0].products.flat()).total;
  return { how: "sum", exact: sum.patches[0].sum, text, words: `the sum of ${number} product${number === 1 ? "" : "s"} is ${text}` };
}

/** Shows how a number comes about. The weights stay where they are: they may be being typed in. @param {Node} kernel  the table of weights */
export function workings(kernel) {
  const [patch, weights, outcome] = [element("span"), sign("×", kernel), element("span")];
  /** @param {WindowSum} sum */
  const show = (sum) => {
    const { how, exact, text } = outcomeOf(sum);
    const result = sign(`→ ${how} = `, element("strong", { class: "lenet-mono lenet-result", title: numberText(exact, 9) }, text));
    const isConvolution = sum.kind === "conv";
    weights.hidden = !isConvolution;
    patch.replaceChildren(isConvolution ? patchFigures(sum.patches[0])
      : sum.kind === "maxPool" ? patchFigures(sum.patch, -Infinity, sum.winner) : patchFigures(sum.patch));
    outcome.replaceChildren(...(isConvolution ? [sign("=", productFigures(sum.patches[0]))] : []), result);
  };
  return { node: element("div", { class: "lenet-sums" }, patch, weights, outcome), show };
}

/** The numbers under the window. @param {PatchUnder} patch @param {number} [outside]  what stands in the padding @param {number[]} [winner] */
function patchFigures({ values, isInside }, outside = 0, winner) {
  return figures("patch", values.map((line, row) => line.map((value, column) => {
    if (!isInside[row][column]) return { text: briefly(outside), class: "lenet-outside" };
    return { text: briefly(value), class: String([row, column]) === String(winner) ? "lenet-winner" : "" };
  })));
}

/** @param {WeightedPatch} patch */
function productFigures({ values, kernel, products, isInside }) {
  const { texts, isExact } = shownProducts(products.flat());
  return figures(isExact ? "products" : "products, rounded to add up", products.map((line, row) => line.map((product, column) => ({
    text: texts[row * line.length + column],
    title: `${values[row][column]} × ${weightText(kernel[row][column])} = ${briefly(product, 9)}`,
    class: isInside[row][column] ? "" : "lenet-outside",
  }))));
}

/** @param {string} caption @param {{ text: string, title?: string, class: string }[][]} lines */
function figures(caption, lines) {
  const label = `${caption}: ${lines.map((line) => line.map(({ text }) => text).join(" ")).join("; ")}`;
  const cells = lines.flat().map(({ text, ...attributes }) => element("span", attributes, text));
  const attributes = { role: "img", "aria-label": label, style: `--columns: ${lines[0].length}` };
  return captioned(caption, element("span", { class: "lenet-figures lenet-mono", ...attributes }, ...cells));
}

/** @param {...(Node | string)} children */
function sign(...children) {
  return element("span", { class: "lenet-sign" }, ...children);
}

/** @param {string} caption @param {Node} table */
function captioned(caption, table) {
  return element("span", { class: "lenet-part" }, element("span", { class: "lenet-muted", "aria-hidden": "true" }, caption), table);
}

/** The weights, to be changed by the reader. What is typed stays as it is, even what is no number. @param {(kernel: Table) => void} changed */
export function kernelTable(changed) {
  /** What the cells mean; where one holds no number, what it meant before. @type {Table} */
  let kernel = [[]];
  /** @type {HTMLInputElement[]} */
  let inputs = [];
  const table = element("span", { class: "lenet-figures lenet-mono", role: "group", "aria-label": "kernel weights" });
  const problem = element("p", { class: "lenet-problem", role: "status" });

  /** Say which cell holds no number. */
  const complain = () => {
    const index = inputs.findIndex((input) => input.getAttribute("aria-invalid") === "true");
    const typed = inputs[index]?.value.trim();
    setText(problem, index < 0 ? "" : `${typed ? `“${typed}” is no number` : "An empty cell is no number"}: type one ` +
      `such as 12, −0.25 or 1/3. Until then the weight stays ${weightText(kernel.flat()[index])}.`);
  };

  /** @param {number} row @param {number} column */
  const field = (row, column) => {
    const input = textField({ "aria-label": `kernel weight, row ${row}, column ${column}` }, (text) => {
      const weight = parseWeight(text);
      input.setAttribute("aria-invalid", String(Number.isNaN(weight)));
      if (Number.isNaN(weight)) return complain();
      kernel = kernel.with(row, kernel[row].with(column, weight));
      changed(kernel);
    });
    return input;
  };

  /** @param {Table} now */
  const show = (now) => {
    const old = now.length === kernel.length && now[0].length === kernel[0].length ? kernel.flat() : [];
    kernel = now;
    if (!old.length) {
      inputs = now.flatMap((line, row) => line.map((_, column) => field(row, column)));
      table.style.setProperty("--columns", String(now[0].length));
      table.replaceChildren(...inputs);
    }
    now.flat().forEach((weight, index) => {
      if (old[index] === weight) return;
      inputs[index].value = weightText(weight);
      inputs[index].removeAttribute("aria-invalid");
    });
    complain();
  };
  return { node: captioned("kernel", table), problem, show };
}
