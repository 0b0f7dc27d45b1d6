// @ts-check
/** How a number came about, term by term: the channels of a convolution, the inputs of a linear layer, the shares of a softmax, and all else in lines. */
import { Painting, limitOf, symmetricScale } from "./maps.js";
import { addUp, convolutionSums, signedText } from "./sums.js";
import { placeName } from "./words.js";
import { element, setText } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

const LARGEST_TILE_CELL = 11; // CSS pixels, here and below
const SHORTEST_ROW = 21;
const ROW = { least: 24, most: 30 };
const MOST_INPUTS = 12;
const MOST_CLASSES = 12;

/** Bars that begin where the one before has ended: how a sum grows, term by term. @param {number} count  of terms */
export function runningTotal(count) {
  const bars = Array.from({ length: count }, () => [element("i", { class: "lenet-zero" }), element("i", {})]);
  return {
    cells: bars.map((bar) => element("span", { class: "lenet-total", "aria-hidden": "true" }, ...bar)),
    /** @param {number[]} terms */
    show(terms) {
      const ends = [0];
      for (const term of terms) ends.push(ends[ends.length - 1] + term);
      const [low, high] = [Math.min(...ends), Math.max(...ends)];
      const share = (/** @type {number} */ value) => (100 * (value - low)) / (high - low || 1);
      bars.forEach(([zero, bar], i) => {
        const [from, to] = [ends[i], ends[i + 1]];
        bar.className = to < from ? "lenet-below" : "lenet-above";
        bar.style.left = `${share(Math.min(from, to))}%`;
        bar.style.width = `max(1px, ${Math.abs(share(to) - share(from))}%)`;
        zero.style.left = `${share(0)}%`;
      });
    },
  };
}

// ---------------------------------------------------------------------------- the channels of a convolution

/** A patch, a kernel or products, one pixel for each number. */
export class Tile extends Painting {
  /** @param {number} rows @param {number} columns @param {number} cell */
  constructor(rows, columns, cell) {
    super({ tiles: 1, rows, columns });
    this.canvas.className = "lenet-tile";
    Object.assign(this.canvas.style, { width: `${columns * cell}px`, height: `${rows * cell}px` });
  }
}

/** A convolution through several channels: a row for each, and how their sums add up. */
export class ChannelRows {
  #rows; #figures; #totals;
  /** The channels that the rows show, from top to bottom. @type {Weighted[]} */
  #shown = [];

  /** @param {ArithmeticOf<"conv">} arithmetic @param {number} height  CSS pixels @param {(channel: number) => void} onChoose */
  constructor({ patches, bias }, height, onChoose) {
    const room = Math.floor((height - 20) / SHORTEST_ROW) - Number(bias !== null);
    const count = patches.length <= room ? patches.length : Math.max(1, room - 1);
    const plain = [...(count < patches.length ? [`the other ${patches.length - count} channels`] : []), ...(bias === null ? [] : ["bias"])];
    const rowHeight = Math.min(62, (height - 20) / (count + plain.length));
    const [rows, columns] = [patches[0].kernel.length, patches[0].kernel[0].length];
    const cell = Math.max(1, Math.min(LARGEST_TILE_CELL, Math.floor((rowHeight - (rowHeight > 40 ? 8 : 3)) / rows), Math.floor(70 / columns)));
    this.#totals = runningTotal(count + plain.length);
    this.#figures = this.#totals.cells.map(() => element("span", { class: "lenet-figure" }));
    this.#rows = Array.from({ length: count }, (_, i) => this.#row(i, [rows, columns, cell], onChoose));
    const others = plain.map((name, i) => element("div", { class: "lenet-channel" }, element("span", { class: "lenet-plain-name" }, name), this.#figures[count + i], this.#totals.cells[count + i]));
    const head = ["", "patch", "", "kernel", "", "products", "sum", "so far"].map((text) => element("span", {}, text));
    const style = `grid-auto-rows: ${rowHeight}px; --tile: ${columns * cell}px`;
    this.node = element("div", { class: "lenet-channels", style }, element("div", { class: "lenet-channel-head" }, ...head), ...this.#rows.map(({ node }) => node), ...others);
  }

  /** @param {number} i @param {[rows: number, columns: number, cell: number]} size @param {(channel: number) => void} onChoose */
  #row(i, size, onChoose) {
    const [patch, kernel, products] = [new Tile(...size), new Tile(...size), new Tile(...size)];
    const name = element("span", {});
    const aloud = (/** @type {string} */ text) => element("span", { class: "lenet-aloud" }, text);
    const sign = (/** @type {string} */ text) => element("span", { class: "lenet-operator", "aria-hidden": "true" }, text);
    const parts = [element("b", {}, aloud("channel "), name, aloud(" whose products add up to")), patch.canvas, sign("×"), kernel.canvas, sign("="), products.canvas, this.#figures[i], this.#totals.cells[i]];
    const node = element("button", { type: "button", class: "lenet-channel", onclick: () => onChoose(this.#shown[i].channel) }, ...parts);
    return { node, name, patch, kernel, products };
  }

  /** @param {ArithmeticOf<"conv">} arithmetic @param {Showing} showing */
  show(arithmetic, { below, signed }) {
    const { patches } = arithmetic;
    const { sums, bias, line } = convolutionSums(arithmetic);
    const strongest = [...sums.keys()].sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a])).slice(0, this.#rows.length).sort((a, b) => a - b);
    this.#shown = strongest.map((i) => patches[i]);
    const [kernels, products] = [limitOf(patches.flatMap(({ kernel }) => kernel.flat())), limitOf(patches.flatMap((patch) => patch.products.flat()))];
    const full = (/** @type {number} */ limit) => symmetricScale(signed, limit);
    const known = strongest.map((i) => sums[i]);
    const terms = [...known, ...(known.length < sums.length ? [sumOf(sums) - sumOf(known)] : []), ...bias];
    this.#figures.forEach((figure, i) => setText(figure, signedText(terms[i])));
    this.#rows.forEach((row, i) => {
      const patch = this.#shown[i];
      setText(row.name, String(patch.channel));
      row.patch.paint(patch.values.flat(), { palette: below.palette, range: () => below.range(patch.channel) });
      row.kernel.paint(patch.kernel.flat(), full(kernels));
      row.products.paint(patch.products.flat(), full(products));
    });
    this.#totals.show(terms);
    return line;
  }

  get anchors() {
    return this.#shown.map(({ channel, sum }, i) => ({ row: this.#rows[i].node, unit: null, channel, size: sum }));
  }

  /** @param {number} channel */
  focus(channel) {
    this.#rows[this.#shown.findIndex((patch) => patch.channel === channel)]?.node.focus();
  }
}

// ---------------------------------------------------------------------------- tables

/** A table of terms; null heads a column of bars. @param {(string | null)[]} head @param {HTMLElement} body @param {number} [rowHeight] */
export function tableOf(head, body, rowHeight = 24) {
  const columns = head.map((text) => (text === null ? element("td", {}) : element("th", { scope: "col" }, text)));
  return element("table", { class: "lenet-terms", style: `--row: ${rowHeight}px` }, element("thead", {}, element("tr", {}, ...columns)), body);
}

/** Fill the rows of a table, their names first and bars behind; its cells stay while their texts change. @param {HTMLTableSectionElement} body @param {string[][]} texts @param {HTMLElement[]} [bars] */
export function fillRows(body, texts, bars = []) {
  const cells = (/** @type {string[]} */ row, /** @type {number} */ i) => [...row.map((text, j) => (j || !text ? element("td", {}) : element("th", { scope: "row" }))), ...bars.slice(i, i + 1).map((bar) => element("td", {}, bar))];
  if (body.rows.length !== texts.length) body.replaceChildren(...texts.map((row, i) => element("tr", {}, ...cells(row, i))));
  texts.forEach((row, i) => row.forEach((text, j) => setText(body.rows[i].cells[j], text)));
}

/** How the row of an input begins. @param {Contribution} contribution @param {State} state */
function inputCells({ index, input, weight }, { steps, step }) {
  return [placeName(steps, step, index), numberText(input), `× ${numberText(weight)}`];
}

/** A sum, as that of a linear layer: its strongest terms, all others, the bias, and how they add up. */
export class Waterfall {
  #body = element("tbody", {});
  #totals; #count; #head; #cellsOf;
  /** @type {any[]} */
  #shown = [];

  /**
   * @param {{ contributions: { product: number }[], bias: number | null }} arithmetic  the strongest first @param {number} height
   * @param {string[]} [head]  of the columns before the products @param {(contribution: any, state: State) => string[]} [cellsOf]  what stands in them
   */
  constructor({ contributions, bias }, height, head = ["input", "its value", "× weight"], cellsOf = inputCells) {
    this.#head = head;
    this.#cellsOf = cellsOf;
    const room = Math.min(MOST_INPUTS, Math.floor((height - ROW.least) / ROW.least)) - Number(bias !== null);
    const isCut = contributions.length > room;
    this.#count = isCut ? Math.max(1, room - 1) : contributions.length;
    const numRows = this.#count + Number(isCut) + Number(bias !== null);
    this.#totals = runningTotal(numRows);
    this.node = tableOf([...head, "product", "so far"], this.#body, Math.min(ROW.most, Math.floor((height - 2) / (numRows + 1))));
  }

  /** @param {{ contributions: { product: number }[], bias: number | null, result: number }} arithmetic @param {{ state: State }} showing @returns {NamedTerm[]} */
  show({ contributions, bias, result }, { state }, decimals = 2) {
    this.#shown = contributions.slice(0, this.#count);
    const others = contributions.slice(this.#count).map(({ product }) => product);
    const named = /** @type {NamedTerm[]} */ ([...(others.length ? [["others", sumOf(others)]] : []), ...(bias === null ? [] : [["bias", bias]])]);
    const { terms } = addUp([...this.#shown.map(({ product }) => product), ...named.map(([, value]) => value)], result, decimals, Number(bias !== null));
    const rows = [...this.#shown.map((contribution) => this.#cellsOf(contribution, state)), ...named.map(([name]) => [name === "bias" ? name : `the other ${others.length}`])];
    fillRows(this.#body, rows.map((row, i) => [...this.#head.map((_, at) => row[at] ?? ""), signedText(terms[i], decimals)]), this.#totals.cells);
    this.#totals.show(terms);
    const strongest = /** @type {NamedTerm} */ ([others.length ? `${this.#count} strongest` : "all", sumOf(terms.slice(0, this.#count))]);
    return [strongest, ...named.map(([name], i) => /** @type {NamedTerm} */ ([name === "bias" ? name : `${others.length} others`, terms[this.#count + i]]))];
  }

  get anchors() {
    return this.#shown.map(({ index, product }, i) => ({ row: this.#body.rows[i], unit: [index], channel: 0, size: product }));
  }
}

/** A power of e, however small. @param {number} value */
function powerText(value) {
  if (value === 0 || value >= 0.001) return numberText(value, 3);
  const exponent = Math.floor(Math.log10(value));
  const digits = [...String(-exponent)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
  return `${numberText(value / 10 ** exponent, 1)}·10⁻${digits}`;
}

/** A softmax, class by class: score, power of e, share. */
export class Shares {
  #body = element("tbody", {});
  #bars; #cells;

  /** @param {ArithmeticOf<"softmax">} softmax @param {number} height */
  constructor({ scores }, height) {
    const count = Math.min(scores.length, MOST_CLASSES);
    this.#bars = Array.from({ length: count }, () => element("i", { class: "lenet-above", style: "left: 0" }));
    this.#cells = [...this.#bars, ""].map((bar) => element("span", { class: "lenet-total", "aria-hidden": "true" }, bar));
    this.node = tableOf(["class", "score", "", "share", null], this.#body, Math.min(27, (height - 4) / (count + 2)));
  }

  /** @param {ArithmeticOf<"softmax">} softmax @param {Showing} showing */
  show({ scores, largest, exponentials, total, unit }, { state }) {
    setText(this.node.rows[0].cells[2], `e^(score − ${numberText(largest, 2)})`);
    const shares = addUp(exponentials.map((value) => (100 * value) / total), 100, 1).terms;
    const powers = addUp(exponentials, total, 3).terms;
    const order = [...scores.keys()];
    const shown = scores.length > MOST_CLASSES ? order.sort((a, b) => scores[b] - scores[a]).slice(0, MOST_CLASSES) : order;
    const rows = shown.map((i) => {
      const power = exponentials[i] < 0.001 ? powerText(exponentials[i]) : numberText(powers[i], 3);
      return [state.meta.classes[i] ?? String(i), numberText(scores[i], 2), power, `${numberText(shares[i], 1)} %`];
    });
    fillRows(this.#body, [...rows, ["sum", "", powerText(total), "100.0 %"]], this.#cells);
    shown.forEach((i, place) => {
      this.#bars[place].style.width = `${(100 * exponentials[i]) / total}%`;
      this.#body.rows[place].className = i === unit ? "lenet-lit" : "";
    });
  }
}

/** What a number went through, line by line, where there is no picture of it. */
export class Lines {
  #body = element("tbody", {});
  node = element("div", { class: "lenet-lines" }, element("table", { class: "lenet-terms" }, this.#body));

  /** @param {Arithmetic} arithmetic @param {Showing} showing @returns {NamedTerm[]} */
  show(arithmetic, { state: { steps, step } }) {
    const values = arithmetic.kind === "sum" ? addUp(arithmetic.values, arithmetic.result).terms : [];
    const terms = values.map((value, i) => /** @type {NamedTerm} */ ([steps[steps[step].inputs[i]].name, value]));
    const lines = terms.map(([name, value]) => [name, signedText(value)]);
    if (arithmetic.kind === "batchNorm") lines.push(...normalisingLines(arithmetic));
    if (arithmetic.kind === "reshape") lines.push(...placeLines(arithmetic));
    fillRows(this.#body, lines);
    return terms;
  }
}

/** @param {ArithmeticOf<"batchNorm">} arithmetic */
function normalisingLines({ value, mean, deviation, weight, bias, result }) {
  const first = addUp([value, -mean], value - mean);
  const last = addUp([result - bias, bias], result);
  return [
    ["goes in", numberText(first.terms[0], 2)],
    ["less the mean", signedText(first.terms[1])],
    ["", `= ${numberText(first.total, 2)}`],
    ["divided by the deviation", `/ ${numberText(deviation)}`],
    ["times the weight", `× ${numberText(weight)}`],
    ["", `= ${numberText(last.terms[0], 2)}`],
    ["plus the bias", signedText(last.terms[1])],
  ];
}

/** @param {ArithmeticOf<"reshape">} arithmetic */
function placeLines({ from, shape, index }) {
  if (shape.length !== 3) return [["its place before", String(from)], ["its place now", String(index)]];
  const [channel, row, column] = from;
  const [, height, width] = shape;
  return [
    [`numbers in the ${channel} maps before it: ${channel} × ${height} × ${width}`, String(channel * height * width)],
    [`in the ${row} rows before it: ${row} × ${width}`, `+${row * width}`],
    ["before it in its row", `+${column}`],
    ["its place in the row of all numbers", `= ${index}`],
  ];
}
