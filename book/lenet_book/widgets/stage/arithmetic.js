// @ts-check
/** Shows how the number of a unit came about, with all the numbers that went into it. */
import { arithmeticOf, unitAt } from "./explanation.js";
import { limitOf } from "./maps.js";
import { colourText, greyColour, inkOn, signedColour } from "../shared/colours.js";
import { element } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("./explanation.js").Arithmetic} Arithmetic */
/** @typedef {import("./explanation.js").Unit} Unit */
/** @typedef {import("./explanation.js").Patch} Patch */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("../shared/colours.js").Theme} Theme */
/** @typedef {(value: number) => import("../shared/colours.js").Colour} Paint */

/** @template {Arithmetic["kind"]} Kind @typedef {Extract<Arithmetic, { kind: Kind }>} Of */

const NUM_STRONGEST = 8;
const AXES = [["feature"], ["row", "column"], ["channel", "row", "column"]];

/** Name a unit in words. @param {Unit} unit */
export function unitText(unit) {
  const names = AXES[unit.length - 1] ?? [];
  return unit.map((place, axis) => `${names[axis] ?? `axis ${axis + 1}`} ${place}`).join(", ");
}

export class ArithmeticView {
  #state;

  /** @param {State} state */
  constructor(state) {
    this.#state = state;
    /** The input channel whose patch is shown; null for the one that adds most. @type {number | null} */
    this.channel = null;
    this.node = element("section", { class: "lenet-arithmetic", "aria-label": "How the number came about" });
  }

  /** @param {number} step @param {Unit} unit @param {Theme} theme */
  show(step, unit, theme) {
    const arithmetic = arithmeticOf(this.#state.engine, step, unit);
    const title = element("p", { class: "lenet-title" }, `${this.#state.steps[step].name}: ${unitText(unit)}`);
    this.node.replaceChildren(title, ...this.#nodes(arithmetic, step, unit, theme));
  }

  /** @param {Arithmetic} arithmetic @param {number} step @param {Unit} unit @param {Theme} theme @returns {Node[]} */
  #nodes(arithmetic, step, unit, theme) {
    switch (arithmetic.kind) {
      case "input":
        return inputNodes(this.#state, arithmetic, unit);
      case "conv":
        return this.#convolutionNodes(arithmetic, step, unit, theme);
      case "maxPool":
        return maximumNodes(arithmetic, this.#paintBelow(step, arithmetic.patch, theme));
      case "avgPool":
        return averageNodes(arithmetic, this.#paintBelow(step, arithmetic.patch, theme));
      case "linear":
        return linearNodes(arithmetic, this.#namesBelow(step));
      case "softmax":
        return softmaxNodes(arithmetic, this.#state);
      default:
        return [equation(...plainNodes(arithmetic))];
    }
  }

  /** How the inputs of a linear layer are called: through a flatten, by their place in the maps. @param {number} step */
  #namesBelow(step) {
    const { steps } = this.#state;
    let below = steps[step].inputs[0];
    while (["identity", "relu", "reshape"].includes(steps[below].kind) && steps[below].shape.length === 1) {
      below = steps[below].inputs[0];
    }
    const { shape } = steps[below];
    return (/** @type {number} */ index) => (shape.length === 3 ? `${index} = ${unitText(unitAt(index, shape))}` : String(index));
  }

  /** The colours of a patch: those in which its map is drawn. @param {number} step @param {Patch} patch @param {Theme} theme @returns {Paint} */
  #paintBelow(step, patch, theme) {
    if (this.#state.steps[step].inputs[0] !== 0) return signedPaint(patch.values, theme);
    const [low, high] = this.#state.input.pixelRange[patch.channel];
    return (value) => greyColour(value, low, high);
  }

  /** @param {Of<"conv">} arithmetic @param {number} step @param {Unit} unit @param {Theme} theme */
  #convolutionNodes({ patches, bias, result }, step, unit, theme) {
    const strongest = patches.reduce((best, patch) => (Math.abs(patch.sum) > Math.abs(best.sum) ? patch : best));
    const shown = patches.find(({ channel }) => channel === this.channel) ?? strongest;
    const grids = element(
      "div",
      { class: "lenet-grids" },
      patchGrid(shown, this.#paintBelow(step, shown, theme), patches.length > 1 ? `patch of channel ${shown.channel}` : "patch"),
      sign("×"),
      grid(shown.kernel, signedPaint(shown.kernel, theme), "kernel"),
      sign("="),
      grid(shown.products, signedPaint(shown.products, theme), "products", shown.isInside),
    );
    const reading = element("p", { class: "lenet-reading lenet-mono" }, "Point at a cell to see its product.");
    linkCells(grids, (i, j) => {
      reading.textContent = `${numberText(shown.values[i][j])} × ${numberText(shown.kernel[i][j])} = ${numberText(shown.products[i][j])}`;
    });
    const choose = (/** @type {number} */ channel) => {
      this.channel = channel;
      this.show(step, unit, theme);
      /** @type {HTMLElement | null} */ (this.node.querySelector("[aria-pressed=true]"))?.focus();
    };
    const sums = patches.map((patch) => channelSum(patch, patch === shown, choose));
    const about = "The products of each channel add up to a sum; choose a channel to see its patch.";
    const channels = [element("p", { class: "lenet-muted" }, about), element("div", { class: "lenet-sums" }, ...sums)];
    return [
      grids,
      reading,
      ...(patches.length > 1 ? channels : []),
      equation(...sumText(patches, bias), " = ", strong(result)),
    ];
  }
}

/** @param {{ channel: number, sum: number }} patch @param {boolean} isShown @param {(channel: number) => void} choose */
function channelSum({ channel, sum }, isShown, choose) {
  const attributes = { type: "button", class: "lenet-button lenet-sum", "aria-pressed": isShown, onclick: () => choose(channel) };
  return element("button", { ...attributes, "aria-pressed": String(isShown) }, `channel ${channel} `, element("b", {}, numberText(sum)));
}

/** @param {{ sum: number }[]} patches @param {number | null} bias @returns {string[]} */
function sumText(patches, bias) {
  const sum = sumOf(patches.map((patch) => patch.sum));
  const first = patches.length > 1 ? `sum over ${patches.length} channels ` : "sum of the products ";
  return [first, numberText(sum), bias === null ? " (no bias)" : ` + bias ${signedTerm(bias)}`];
}

/** A number that follows a plus. @param {number} value */
function signedTerm(value) {
  return value < 0 ? `(${numberText(value)})` : numberText(value);
}

/** @param {number} value */
function strong(value) {
  return element("strong", { class: "lenet-result" }, numberText(value));
}

/** @param {...(Node | string)} parts */
function equation(...parts) {
  return element("p", { class: "lenet-equation lenet-mono" }, ...parts);
}

/** @param {string} text */
function sign(text) {
  return element("span", { class: "lenet-sign", "aria-hidden": "true" }, text);
}

/**
 * A table of coloured cells with their numbers.
 *
 * @param {number[][]} values @param {Paint} paint @param {string} title
 * @param {boolean[][]} [isInside]  false for padding
 */
function grid(values, paint, title, isInside) {
  const rows = values.map((line, i) =>
    element(
      "tr",
      {},
      ...line.map((value, j) => {
        const ground = paint(value);
        const isPadding = isInside?.[i][j] === false;
        const style = isPadding ? "" : `background: ${colourText(ground)}; color: ${inkOn(ground)}`;
        const name = isPadding ? "lenet-padding" : "";
        return element("td", { style, class: name, "data-cell": `${i},${j}` }, numberText(value, 2));
      }),
    ),
  );
  const caption = element("caption", {}, title);
  const table = element("table", { class: "lenet-grid lenet-mono" }, caption, element("tbody", {}, ...rows));
  if (values[0].length > 6) table.classList.add("lenet-small");
  return table;
}

/** @param {Patch} patch @param {Paint} paint @param {string} title */
function patchGrid(patch, paint, title) {
  const hasPadding = patch.isInside.flat().includes(false);
  return grid(patch.values, paint, hasPadding ? `${title} (hatched: padding)` : title, patch.isInside);
}

/** Blue and red, full at the largest of some values. @param {number[][]} values @param {Theme} theme @returns {Paint} */
function signedPaint(values, theme) {
  const limit = limitOf(values.flat());
  return (value) => signedColour(value, limit, theme);
}

/** Light up the same cell in all grids. @param {HTMLElement} grids @param {(row: number, column: number) => void} tell */
function linkCells(grids, tell) {
  const light = (/** @type {Event} */ event) => {
    const cell = /** @type {HTMLElement} */ (event.target).dataset.cell;
    if (!cell) return;
    for (const other of grids.querySelectorAll(".lenet-cell-lit")) other.classList.remove("lenet-cell-lit");
    for (const same of grids.querySelectorAll(`[data-cell="${cell}"]`)) same.classList.add("lenet-cell-lit");
    const [row, column] = cell.split(",").map(Number);
    tell(row, column);
  };
  grids.addEventListener("pointerover", light);
  grids.addEventListener("click", light);
}

/** @param {State} state @param {Of<"input">} arithmetic @param {Unit} unit */
function inputNodes(state, { value }, unit) {
  const range = state.input.pixelRange[unit.length === 3 ? unit[0] : 0];
  if (!range) return [equation("value = ", strong(value))];
  if (!state.input.isPixels) return [equation("the picture as the network takes it: ", strong(value))];
  const [m, s] = state.input.statistics(unit[0] ?? 0);
  const share = value * s + m;
  const pixel = numberText(share * 255, 0);
  if (m === 0 && s === 1) return [equation(`pixel ${pixel} / 255 = `, strong(value))];
  return [
    equation(`pixel ${pixel} / 255 = ${numberText(share)}`),
    equation(`(${numberText(share)} − mean ${numberText(m)}) / deviation ${numberText(s)} = `, strong(value)),
  ];
}

/** @param {Of<"maxPool">} arithmetic @param {Paint} paint */
function maximumNodes({ patch, winner, result }, paint) {
  const table = patchGrid(patch, paint, "window");
  table.querySelector(`[data-cell="${winner[0]},${winner[1]}"]`)?.classList.add("lenet-cell-lit");
  const [row, column] = [patch.rows[winner[0]], patch.columns[winner[1]]];
  return [
    element("div", { class: "lenet-grids" }, table),
    equation(`the largest stands at row ${row}, column ${column}: `, strong(result)),
  ];
}

/** @param {Of<"avgPool">} arithmetic @param {Paint} paint */
function averageNodes({ patch, sum, divisor, result }, paint) {
  return [
    element("div", { class: "lenet-grids" }, patchGrid(patch, paint, "window")),
    equation(`sum ${numberText(sum)} / ${divisor} = `, strong(result)),
  ];
}

/** @param {Of<"linear">} arithmetic @param {(index: number) => string} nameOf */
function linearNodes({ contributions, bias, result }, nameOf) {
  const shown = contributions.slice(0, NUM_STRONGEST);
  const rest = contributions.slice(NUM_STRONGEST);
  const limit = Math.abs(shown[0]?.product ?? 1) || 1;
  const rows = shown.map(({ index, input, weight, product }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, nameOf(index)),
      element("td", {}, numberText(input)),
      element("td", {}, numberText(weight)),
      element("td", {}, numberText(product)),
      element("td", { class: "lenet-bar-cell" }, bar(product / limit)),
    ),
  );
  const headings = ["input", "value", "× weight", "= product", ""];
  const head = element("tr", {}, ...headings.map((text) => element(text ? "th" : "td", text ? { scope: "col" } : {}, text)));
  const caption = element("caption", {}, `The ${shown.length} strongest of ${contributions.length} inputs`);
  const table = element("table", { class: "lenet-table lenet-mono" }, caption, element("thead", {}, head), element("tbody", {}, ...rows));
  const sum = (/** @type {{ product: number }[]} */ part) => sumOf(part.map(({ product }) => product));
  const others = rest.length ? ` + the other ${rest.length} ${signedTerm(sum(rest))}` : "";
  const biasText = bias === null ? "" : ` + bias ${signedTerm(bias)}`;
  return [
    element("div", { class: "lenet-scroll", tabindex: 0, role: "region", "aria-label": "Strongest inputs" }, table),
    equation(`these ${numberText(sum(shown))}${others}${biasText} = `, strong(result)),
  ];
}

/** A bar to the right for positive shares, to the left for negative ones. @param {number} share */
function bar(share) {
  const half = Math.abs(share) * 50;
  const style = `left: ${share < 0 ? 50 - half : 50}%; width: ${half}%`;
  return element("span", { class: "lenet-bar", "aria-hidden": "true" }, element("span", { class: share < 0 ? "lenet-below" : "lenet-above", style }));
}

/** @param {Of<"softmax">} arithmetic @param {State} state */
function softmaxNodes({ scores, largest, exponentials, total, unit, result }, state) {
  const rows = scores.map((score, i) => {
    const cells = [numberText(score), numberText(exponentials[i]), numberText(exponentials[i] / total)];
    const name = state.meta.classes[i] ?? String(i);
    const attributes = { class: i === unit ? "lenet-lit" : "" };
    return element("tr", attributes, element("th", { scope: "row" }, name), ...cells.map((text) => element("td", {}, text)));
  });
  const headings = ["class", "score", `e^(score − ${numberText(largest, 2)})`, "share"];
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
  const foot = element("tr", {}, element("th", { scope: "row" }, "sum"), element("td", {}), element("td", {}, numberText(total)), element("td", {}, numberText(1)));
  const table = element(
    "table",
    { class: "lenet-table lenet-mono" },
    element("thead", {}, head),
    element("tbody", {}, ...rows),
    element("tfoot", {}, foot),
  );
  const isLog = state.steps[state.step].kind === "logSoftmax";
  const share = `${numberText(exponentials[unit])} / ${numberText(total)}`;
  return [
    element("p", { class: "lenet-muted" }, `The largest score, ${numberText(largest, 2)}, is taken off first: it changes no share and keeps the powers of e small.`),
    element("div", { class: "lenet-scroll", tabindex: 0, role: "region", "aria-label": "Scores and shares" }, table),
    isLog ? equation(`log(${share}) = `, strong(result)) : equation(`${share} = `, strong(result)),
  ];
}

/** @param {Arithmetic} arithmetic @returns {(Node | string)[]} */
function plainNodes(arithmetic) {
  switch (arithmetic.kind) {
    case "batchNorm": {
      const { value, mean, deviation, weight, bias, result } = arithmetic;
      const normalised = `(${numberText(value)} − mean ${signedTerm(mean)}) / deviation ${numberText(deviation)}`;
      return [`${normalised} × weight ${signedTerm(weight)} + bias ${signedTerm(bias)} = `, strong(result)];
    }
    case "reshape":
      return reshapeText(arithmetic);
    case "sum":
      return [`${arithmetic.values.map(signedTerm).join(" + ")} = `, strong(arithmetic.result)];
    case "recorded":
      return [`PyTorch computed this: `, strong(arithmetic.result), `. The page cannot repeat it: ${arithmetic.reason}.`];
    case "pointwise":
      return [pointwiseText(arithmetic), strong(arithmetic.result)];
    default:
      return [];
  }
}

/** @param {Of<"reshape">} arithmetic @returns {(Node | string)[]} */
function reshapeText({ from, index, shape, result }) {
  const value = [" holds ", strong(result)];
  if (shape.length !== 3) return [`number ${index} stays number ${index} and`, ...value];
  const [, height, width] = shape;
  const [channel, row, column] = from;
  const formula = `(${channel} × ${height} + ${row}) × ${width} + ${column} = ${index}`;
  return [`channel ${channel}, row ${row}, column ${column} ↔ ${formula}, which`, ...value];
}

/** @param {Of<"pointwise">} arithmetic */
function pointwiseText({ name, value, scale, shift, slope }) {
  const text = numberText(value);
  switch (name) {
    case "relu":
      return `max(0, ${text}) = `;
    case "leakyRelu":
      return value < 0 ? `${slope} × ${signedTerm(value)} = ` : `${text} is not below 0 and stays `;
    case "tanh":
      return `tanh(${text}) = `;
    case "sigmoid":
      return `1 / (1 + e^(−${signedTerm(value)})) = `;
    case "affine":
      return `${scale} × ${signedTerm(value)} + ${signedTerm(shift)} = `;
    case "identity":
      return `nothing changes here when the network is not in training: `;
    default:
      return `${name}(${text}) = `;
  }
}
