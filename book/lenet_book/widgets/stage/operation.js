// @ts-check
/** The operation: how the number of the framed unit came about, and the sum that ends in it. */
import { ChannelRows } from "./channels.js";
import { Curve } from "./curve.js";
import { arithmeticOf, unitAt } from "./explanation.js";
import { PixelGrid, ProductGrids, WindowGrid, greyPaint, signedPaint } from "./grids.js";
import { Lines } from "./lines.js";
import { limitOf } from "./maps.js";
import { Shares } from "./shares.js";
import { addUp, signedText } from "./sums.js";
import { Waterfall, termsOf } from "./waterfall.js";
import { unitText } from "./words.js";
import { button, element, setText } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("./explanation.js").Arithmetic} Arithmetic */
/** @typedef {import("./explanation.js").Unit} Unit */
/** @typedef {import("./explanation.js").Weighted} Weighted */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./panels.js").Scales} Scales */
/** @typedef {import("../shared/colours.js").Theme} Theme */
/** @template {Arithmetic["kind"]} Kind @typedef {Extract<Arithmetic, { kind: Kind }>} Of */

/** A term of the sum at the foot: what it is, and how much. @typedef {[name: string, value: number]} Term */

/** A row that stands for an input of the sum, which lines lead to. @typedef {{ row: HTMLElement, unit: Unit | null, channel: number, size: number }} Anchor */

const MOST_TERMS = 7; // that fit into the line of the sum

export class OperationPanel {
  #state; #scales; #onChannel; #preparation;
  #shown = "";
  #alone = 0;
  /** @type {PixelGrid | ProductGrids | ChannelRows | WindowGrid | Waterfall | Shares | Curve | Lines | null} */
  #view = null;
  #name = element("b", {});
  #which = element("span", { class: "lenet-muted" });
  #all = button("‹ all channels", () => this.#onChannel(null), { class: "lenet-link" });
  #work = element("div", { class: "lenet-room lenet-work" });
  #terms = element("span", {});
  #result = element("strong", { class: "lenet-result" });

  /**
   * @param {State} state @param {Scales} scales
   * @param {{ node: HTMLElement, layOut: (width: number, height: number) => void, show: () => void }} preparation  of the picture
   * @param {(channel: number | null) => void} onChannel  shows one channel of a convolution, or all
   */
  constructor(state, scales, preparation, onChannel) {
    this.#state = state;
    this.#scales = scales;
    this.#preparation = preparation;
    this.#onChannel = onChannel;
    const heading = element("p", { class: "lenet-heading" }, "the operation · ", this.#name, " ", this.#which, this.#all);
    this.sum = element("p", { class: "lenet-foot lenet-equation" }, this.#terms, this.#result);
    this.node = element("section", { class: "lenet-panel lenet-panel-operation", "aria-label": "the operation" }, heading, this.#work, this.sum);
  }

  /** Make the view anew at the next `show`. */
  reset() {
    this.#shown = "";
  }

  /** @param {Unit} unit @param {Theme} theme */
  show(unit, theme) {
    const { step, steps, engine, channel } = this.#state;
    const hadFocus = this.node.contains(document.activeElement);
    const arithmetic = arithmeticOf(engine, step, unit);
    const patches = arithmetic.kind === "conv" ? arithmetic.patches : [];
    const chosen = patches.find((patch) => patch.channel === channel) ?? (patches.length === 1 ? patches[0] : null);
    const window = "patch" in arithmetic ? [arithmetic.patch.rows.length, arithmetic.patch.columns.length] : []; // of an adaptive pooling, of several sizes
    const key = `${step} ${chosen ? chosen.channel : "all"} ${window} ${this.#state.input.sample < 0}`;
    if (key !== this.#shown) this.#build(arithmetic, chosen);
    this.#shown = key;
    this.#all.hidden = !chosen || patches.length === 1;
    setText(this.#name, steps[step].name);
    setText(this.#which, whichText(steps[step], chosen, unit, this.#all.hidden));
    this.#showSum(arithmetic, this.#fill(arithmetic, chosen, theme));
    if (hadFocus) this.#keepFocus(chosen);
  }

  /** The row of a channel goes while the channel is shown alone; then it is there again. @param {Weighted | null} chosen */
  #keepFocus(chosen) {
    const { activeElement: active } = document;
    if (chosen) this.#alone = chosen.channel;
    if (active !== document.body && !(active === this.#all && this.#all.hidden)) return;
    const view = this.#view;
    if (chosen) this.#all.focus();
    else if (view instanceof ChannelRows) view.anchors[view.shown.findIndex(({ channel }) => channel === this.#alone)]?.focus();
  }

  /** @param {Arithmetic} arithmetic @param {Weighted | null} chosen */
  #build(arithmetic, chosen) {
    const [width, height] = [this.#work.clientWidth, this.#work.clientHeight];
    this.#view = this.#viewFor(arithmetic, chosen, width, height);
    this.#work.replaceChildren(this.#view ? this.#view.node : this.#preparation.node);
    if (!this.#view) this.#preparation.layOut(width, height);
  }

  /** @param {Arithmetic} arithmetic @param {Weighted | null} chosen @param {number} width @param {number} height */
  #viewFor(arithmetic, chosen, width, height) {
    switch (arithmetic.kind) {
      case "conv":
        return chosen ? new ProductGrids(chosen, width, height) : new ChannelRows(arithmetic.patches, arithmetic.bias !== null, height, (channel) => this.#onChannel(channel));
      case "maxPool":
      case "avgPool":
        return new WindowGrid(arithmetic.patch, width, height);
      case "linear":
        return new Waterfall(arithmetic.contributions.length, arithmetic.bias !== null, height);
      case "softmax":
        return new Shares(arithmetic, height);
      case "pointwise":
        return ["affine", "identity"].includes(arithmetic.name) ? new Lines() : new Curve(this.#state.steps[this.#state.step]);
      case "input":
        return this.#state.input.sample < 0 ? null : new PixelGrid(this.#state.steps[0].shape, width, height);
      default:
        return new Lines();
    }
  }

  /** Bring the numbers up to date; the terms are rounded so that they add up. @param {Arithmetic} arithmetic @param {Weighted | null} chosen @param {Theme} theme @returns {Term[]} */
  #fill(arithmetic, chosen, theme) {
    const { step, steps, meta } = this.#state;
    const view = this.#view;
    const below = steps[step].inputs[0];
    const paintOf = (/** @type {number} */ channel) => {
      const [low, high] = this.#scales.of(below).range(channel);
      return below === 0 ? greyPaint([low, high]) : signedPaint(high, theme);
    };
    if (view instanceof PixelGrid) view.show(this.#state.input, this.#state.unit);
    if (!view) this.#preparation.show();
    if (arithmetic.kind === "conv") return this.#fillConvolution(arithmetic, chosen, paintOf, theme);
    if (arithmetic.kind === "linear") return this.#fillWaterfall(arithmetic);
    if (view instanceof WindowGrid && (arithmetic.kind === "maxPool" || arithmetic.kind === "avgPool")) view.show(arithmetic, paintOf(arithmetic.patch.channel));
    if (view instanceof Shares && arithmetic.kind === "softmax") view.show(arithmetic, meta.classes);
    if (view instanceof Curve && arithmetic.kind === "pointwise") view.show(arithmetic.value, arithmetic.result, limitOf(this.#state.engine.values[below]));
    const names = steps[step].inputs.map((input) => steps[input].name);
    if (view instanceof Lines) view.show(arithmetic, names);
    return arithmetic.kind === "sum" ? addUp(arithmetic.values, arithmetic.result).terms.map((value, i) => [names[i], value]) : [];
  }

  /** @param {Of<"conv">} arithmetic @param {Weighted | null} chosen @param {(channel: number) => import("./grids.js").Paint} paintOf @param {Theme} theme @returns {Term[]} */
  #fillConvolution({ patches, bias, result }, chosen, paintOf, theme) {
    const sums = patches.map(({ sum }) => sum);
    const withBias = bias === null ? sums : [...sums, bias];
    const shown = addUp(withBias, result, 2, Number(bias !== null)).terms;
    const shownSums = shown.slice(0, sums.length);
    const shownBias = bias === null ? null : shown[sums.length];
    const { step, steps } = this.#state;
    if (this.#view instanceof ProductGrids && chosen) this.#view.show(chosen, shownSums[patches.indexOf(chosen)], paintOf(chosen.channel), theme);
    if (this.#view instanceof ChannelRows) this.#view.show(patches, shownSums, shownBias, this.#scales.of(steps[step].inputs[0]), this.#scales.of(step));
    const biasTerm = /** @type {Term[]} */ (shownBias === null ? [] : [["bias", shownBias]]);
    if (patches.length === 1) return [["products", shownSums[0]], ...biasTerm];
    if (sums.length > MOST_TERMS) return [[`${sums.length} channels`, sumOf(shownSums)], ...biasTerm];
    return [...shownSums.map((sum) => /** @type {Term} */ (["", sum])), ...biasTerm];
  }

  /** @param {Of<"linear">} arithmetic @returns {Term[]} */
  #fillWaterfall({ contributions, bias, result }) {
    if (!(this.#view instanceof Waterfall)) return [];
    const terms = addUp(termsOf(contributions, this.#view.numShown, bias), result, 2, Number(bias !== null)).terms;
    this.#view.show(contributions, terms, this.#namesBelow());
    const { numShown } = this.#view;
    const strongest = sumOf(terms.slice(0, numShown));
    const rest = contributions.length - numShown;
    const named = /** @type {Term[]} */ ([[rest > 0 ? `${numShown} strongest` : "all", strongest]]);
    if (rest > 0) named.push([`${rest} others`, terms[numShown]]);
    if (bias !== null) named.push(["bias", terms[terms.length - 1]]);
    return named;
  }

  /** How the inputs of a linear layer are called: through a flatten, by their place in the maps. */
  #namesBelow() {
    const { steps, step } = this.#state;
    let below = steps[step].inputs[0];
    while (["identity", "relu", "reshape"].includes(steps[below].kind) && steps[below].shape.length === 1) below = steps[below].inputs[0];
    const { shape } = steps[below];
    const isPlain = shape.length !== 3 || shape[1] * shape[2] === 1;
    return (/** @type {number} */ index) => (isPlain ? `number ${index}` : `map ${unitAt(index, shape)[0]}, ${unitAt(index, shape).slice(1).join("·")}`);
  }

  /** @param {Arithmetic} arithmetic @param {Term[]} terms */
  #showSum(arithmetic, terms) {
    const exact = arithmeticResult(arithmetic);
    if (terms.length) {
      setText(this.#terms, `${terms.map(termText).join(" ")} = `);
      setText(this.#result, numberText(sumOf(terms.map(([, value]) => value)), 2));
    } else {
      setText(this.#terms, lineOf(arithmetic, this.#state));
      setText(this.#result, numberText(exact));
    }
    this.#result.title = `${numberText(exact, 7)}, before rounding`;
  }

  /** The rows that lines lead to, and how much each adds. @returns {Anchor[]} */
  get anchors() {
    const view = this.#view;
    if (view instanceof ChannelRows) return view.shown.map(({ channel, sum }, i) => ({ row: view.anchors[i], unit: null, channel, size: sum }));
    if (view instanceof Waterfall) return view.shown.map(({ index, product }, i) => ({ row: view.anchors[i], unit: [index], channel: 0, size: product }));
    return [];
  }
}

/** @param {Arithmetic} arithmetic */
function arithmeticResult(arithmetic) {
  return arithmetic.kind === "input" ? arithmetic.value : arithmetic.result;
}

/** @param {Term} term @param {number} i */
function termText([name, value], i) {
  const text = signedText(value);
  const number = i ? `${text[0]} ${text.slice(1)}` : text.replace("+", "");
  return name ? `${number} (${name})` : number;
}

/** @param {import("./state.js").Step} step @param {Weighted | null} chosen @param {Unit} unit @param {boolean} isOnly */
function whichText({ kind, shape }, chosen, unit, isOnly) {
  if (kind === "conv") return `filter ${unit[0]} of ${shape[0]}${chosen && !isOnly ? `, channel ${chosen.channel}` : ""} `;
  if (kind === "input") return "a picture is numbers";
  return unitText(unit);
}

/** What stands before the result, where it is no sum. @param {Arithmetic} arithmetic @param {State} state @returns {string} */
function lineOf(arithmetic, state) {
  switch (arithmetic.kind) {
    case "input":
      return pixelText(arithmetic.value, state);
    case "maxPool":
      return "the largest is ";
    case "avgPool":
      return `${numberText(arithmetic.sum)} / ${arithmetic.divisor} = `;
    case "softmax": {
      const { exponentials, unit, total } = arithmetic;
      const share = `e^(${numberText(arithmetic.scores[unit], 2)} − ${numberText(arithmetic.largest, 2)}) / ${numberText(total, 3)}`;
      return state.steps[state.step].kind === "logSoftmax" ? `log(${numberText(exponentials[unit] / total)}) = ` : `${share} = `;
    }
    case "batchNorm":
      return "comes out: ";
    case "reshape":
      return `number ${arithmetic.index} is `;
    case "recorded":
      return `The page cannot repeat this (${arithmetic.reason}); PyTorch computed `;
    case "pointwise":
      return pointwiseText(arithmetic);
    default:
      return "";
  }
}

/** A number that follows a sign. @param {number} value */
function inBrackets(value) {
  return value < 0 ? `(${numberText(value)})` : numberText(value);
}

/** How a pixel was made what the network takes. @param {number} value @param {State} state */
function pixelText(value, { input, unit }) {
  if (!input.isPixels) return "as the network takes it: ";
  const [mean, std] = input.statistics(unit.length === 3 ? unit[0] : 0);
  const share = value * std + mean;
  const pixel = `${numberText(share * 255, 0)} / 255`;
  return mean === 0 && std === 1 ? `pixel ${pixel} = ` : `(pixel ${pixel} − mean ${numberText(mean)}) / deviation ${numberText(std)} = `;
}

/** @param {Of<"pointwise">} arithmetic */
function pointwiseText({ name, value, scale, shift, slope }) {
  const text = numberText(value);
  switch (name) {
    case "relu":
      return `max(0, ${text}) = `;
    case "leakyRelu":
      return value < 0 ? `${slope} × ${inBrackets(value)} = ` : `${text} is not below 0 and stays `;
    case "sigmoid":
      return `1 / (1 + e^(−${inBrackets(value)})) = `;
    case "affine":
      return `${scale} × ${inBrackets(value)} + ${inBrackets(shift)} = `;
    case "identity":
      return "nothing changes here once the network is trained: ";
    default:
      return `${name}(${text}) = `;
  }
}
