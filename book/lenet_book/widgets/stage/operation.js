// @ts-check
/** The operation: how the number of the framed unit came about, and the sum that ends in it. */
import { arithmeticOf } from "./explanation.js";
import { PixelGrid, ProductGrids, WindowGrid, greyPaint, signedPaint } from "./grids.js";
import { Preparation } from "./input/preparation.js";
import { RuleCurve } from "./lines.js";
import { sumText } from "./sums.js";
import { ChannelRows, Lines, Shares, Waterfall } from "./terms.js";
import { lineOf, whichText } from "./words.js";
import { button, element, setText } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

/** Where a number is taken apart: which it is, how it came about, and the line that ends in it. */
export class SumPanel {
  #name = element("b", {});
  #line = element("span", {});
  which = element("span", { class: "lenet-muted" });
  result = element("strong", { class: "lenet-result" });
  work = element("div", { class: "lenet-room lenet-work" });

  /** @param {string} title */
  constructor(title) {
    this.heading = element("p", { class: "lenet-heading" }, `${title} · `, this.#name, " ", this.which);
    this.sum = element("p", { class: "lenet-foot lenet-equation" }, this.#line, this.result);
    this.node = element("section", { class: "lenet-panel lenet-panel-operation", "aria-label": title }, this.heading, this.work, this.sum);
  }

  /** @param {string} name @param {string} which @param {string} line  before the result @param {string} result @param {string} exact  before it was rounded */
  describe(name, which, line, result, exact) {
    setText(this.#name, name);
    setText(this.which, which);
    setText(this.#line, line);
    setText(this.result, result);
    this.result.title = exact;
  }
}

export class OperationPanel extends SumPanel {
  #state; #onChannel; #preparation;
  #shown = "";
  #alone = 0;
  /** @type {View} */
  #view = new Lines();
  #all = button("‹ all channels", () => this.#onChannel(null), { class: "lenet-link" });

  /** @param {State} state @param {(channel: number | null) => void} onChannel  shows one channel of a convolution, or all */
  constructor(state, onChannel) {
    super("the operation");
    this.#state = state;
    this.#preparation = new Preparation(state.input);
    this.#onChannel = onChannel;
    this.heading.append(this.#all);
  }

  /** Make the view anew at the next `show`. */
  reset() { this.#shown = ""; }

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
    const terms = this.#view.show(arithmetic, this.#showing(chosen, theme)) ?? [];
    const which = whichText(steps[step], unit, this.#all.hidden ? null : channel);
    const line = terms.length ? `${sumText(terms)} = ` : lineOf(arithmetic, this.#state);
    const result = terms.length ? numberText(sumOf(terms.map(([, value]) => value)), 2) : numberText(arithmetic.result);
    this.describe(steps[step].name, which, line, result, `${numberText(arithmetic.result, 7)}, before rounding`);
    if (hadFocus) this.#keepFocus(chosen);
  }

  /** The row of a channel goes while the channel is shown alone; then it is there again. @param {Weighted | null} chosen */
  #keepFocus(chosen) {
    const { activeElement: active } = document;
    if (chosen) this.#alone = chosen.channel;
    if (active !== document.body && !(active === this.#all && this.#all.hidden)) return;
    if (chosen) this.#all.focus();
    else if (this.#view instanceof ChannelRows) this.#view.focus(this.#alone);
  }

  /** @param {Arithmetic} arithmetic @param {Weighted | null} chosen */
  #build(arithmetic, chosen) {
    const [width, height] = [this.work.clientWidth, this.work.clientHeight];
    this.#view = this.#viewFor(arithmetic, chosen, width, height);
    this.work.replaceChildren(this.#view.node);
    this.#preparation.layOut(width, height);
  }

  /** @param {Arithmetic} arithmetic @param {Weighted | null} chosen @param {number} width @param {number} height @returns {View} */
  #viewFor(arithmetic, chosen, width, height) {
    switch (arithmetic.kind) {
      case "conv": return chosen ? new ProductGrids(chosen, width, height) : new ChannelRows(arithmetic, height, this.#onChannel);
      case "maxPool": case "avgPool": return new WindowGrid(arithmetic.patch, width, height);
      case "linear": return new Waterfall(arithmetic, height);
      case "softmax": return new Shares(arithmetic, height);
      case "pointwise": return ["affine", "identity"].includes(arithmetic.name) ? new Lines() : new RuleCurve();
      case "input": return this.#state.input.sample < 0 ? this.#preparation : new PixelGrid(this.#state.steps[0].shape, width, height);
      default: return new Lines();
    }
  }

  /** @param {Weighted | null} chosen @param {Theme} theme @returns {Showing} */
  #showing(chosen, theme) {
    const [step] = this.#state.steps[this.#state.step].inputs;
    const below = this.#state.scales.of(step ?? 0);
    const paintOf = (/** @type {number} */ channel) => (step ? signedPaint(below.range(channel)[1], theme) : greyPaint(below.range(channel)));
    return { state: this.#state, theme, chosen, below, signed: this.#state.scales.signed, paintOf };
  }

  /** The rows that lines lead to, and how much each adds. @returns {Anchor[]} */
  get anchors() { return this.#view.anchors ?? []; }
}
