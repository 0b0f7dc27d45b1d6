// @ts-check
/** One step of gradient descent: the picked weight in numbers, the learning rate, all weights at once, and back. */
import { decimalsFor, shortText } from "./figures.js";
import { Adam, SGD, trainedNames } from "./optimizers.js";
import { Engine } from "../engine.js";
import { inBrackets } from "../words.js";
import { button, element, setAttribute, setText } from "../../shared/elements.js";
import { checkbox, choice } from "../../shared/fields.js";
import { countText, numberText } from "../../shared/text.js";

/** The weight that is looked at, and its letter. @typedef {{ name: string, index: number, letter: string }} Spot */

/** What a reader sets or does, in a line. @param {...HTMLElement} parts */
export function settingsOf(...parts) {
  return element("div", { class: "lenet-settings" }, ...parts);
}

/** A slider for learning rates from 0.001 to 10. @param {() => void} moved */
export function rateSlider(moved) {
  return element("input", { type: "range", min: -3, max: 1, step: 0.1, value: -2, "aria-label": "learning rate", oninput: moved });
}

/** The learning rate that a slider stands at. @param {HTMLInputElement} slider */
export function rateOf(slider) {
  return Number((10 ** Number(slider.value)).toPrecision(2));
}

export class Descent {
  #state; #tell; #optimizers; #engine;
  #gradients = /** @type {Gradients | null} */ (null);
  /** What is in .grad since the last step; null before the first. @type {Record<string, Float32Array> | null} */
  #held = null;
  /** What undoes the last step. @type {(() => void) | null} */
  #back = null;
  #right = "";
  /** The arrays that learn. @type {string[]} */
  #trained;
  #formula = element("p", { class: "lenet-update" });
  #grad = element("p", { class: "lenet-muted lenet-grad" });
  #outcome = element("p", { class: "lenet-outcome", role: "status" });
  #rate = rateSlider(() => this.#tell.moved());
  #rateText = element("b", {});
  #rule = choice("", ["SGD", "Adam"], () => this.#tell.moved());
  #forgot = checkbox("forgot zero_grad", () => this.#tell.moved());
  #all = button("", () => this.#step(), { class: "lenet-button lenet-main" });
  #undo = button("Undo", () => this.#takeBack());

  /** @param {State} state @param {SideListener} tell */
  constructor(state, tell) {
    const { engine, steps } = state;
    this.#state = state;
    this.#tell = tell;
    this.#optimizers = [new SGD(engine.arrays, 1), new Adam(engine.arrays, 1)];
    this.#engine = new Engine(steps, engine.arrays);
    this.#trained = trainedNames(steps);
    setAttribute(this.#rule.box, "aria-label", "optimizer");
    const rate = element("label", {}, "learning rate ", this.#rate);
    const settings = settingsOf(rate, this.#rateText, this.#rule.node, this.#forgot.node);
    const acts = settingsOf(this.#all, this.#undo, this.#outcome);
    this.node = element("div", { class: "lenet-descent" }, this.#formula, this.#grad, settings, acts);
  }

  get #optimizer() {
    const optimizer = this.#optimizers[this.#rule.box.selectedIndex];
    optimizer.rate = rateOf(this.#rate);
    return optimizer;
  }

  /** What is left of the backward passes before, where it was not zeroed. */
  get #left() {
    return this.#forgot.box.checked ? this.#held : null;
  }

  /** @param {Gradients} gradients @param {Spot | null} spot */
  show(gradients, spot) {
    const { engine, before, meta } = this.#state;
    this.#gradients = gradients;
    const names = Object.keys(gradients.weights).filter((name) => this.#trained.includes(name));
    const count = names.reduce((sum, name) => sum + engine.arrays[name].data.length, 0);
    setText(this.#rateText, String(this.#optimizer.rate));
    setText(this.#all, `Do it, for all ${countText(count)}`);
    this.#undo.disabled = !this.#back;
    this.#formula.hidden = this.#grad.hidden = !spot;
    if (spot) this.#showWeight(gradients, spot);
    if (!before) return setText(this.#outcome, "");
    const answer = (/** @type {ArrayLike<number>} */ shares) => meta.classes[Array.from(shares).indexOf(Math.max(...Array.from(shares)))];
    const losses = [before.loss, gradients.loss].map((loss) => numberText(loss)).join(" → ");
    setText(this.#outcome, `${answer(before.shares)} → ${answer(gradients.shares)}, loss ${losses}${this.#right}`);
  }

  /** @param {Gradients} gradients @param {Spot} spot */
  #showWeight({ weights }, { name, index, letter }) {
    const optimizer = this.#optimizer;
    const { rate, numSteps } = optimizer;
    const weight = this.#state.engine.arrays[name].data[index];
    if (!this.#trained.includes(name)) {
      this.#formula.replaceChildren(`${letter} stays ${numberText(weight)}: it is frozen, its requires_grad is False.`);
      return setText(this.#grad, `${letter}.grad stays None; the gradient above is what it would be.`);
    }
    const [left, fresh] = [this.#left?.[name][index] ?? 0, weights[name][index]];
    const g = left + fresh;
    const { after, before: [mean, square], memory: [m, v] } = optimizer.preview(name, index, g);
    const decimals = Math.max(4, decimalsFor(Math.abs(rate * g)));
    const text = (/** @type {number} */ value) => inBrackets(value, numberText(value, decimals));
    const short = (/** @type {number} */ value) => inBrackets(value, shortText(value));
    const [first, second] = [m / (1 - 0.9 ** (numSteps + 1)), v / (1 - 0.999 ** (numSteps + 1))];
    const lines = this.#rule.box.selectedIndex
      ? [
          `m ← 0.9 · ${short(mean)} + 0.1 · ${short(g)} = ${shortText(m)}`,
          `v ← 0.999 · ${short(square)} + 0.001 · ${short(g)}² = ${shortText(v)}`,
          `${letter} ← ${numberText(weight)} − ${rate} · ${short(first)} / √${short(second)} = ${numberText(after)}`,
        ]
      : [`${letter} ← ${letter} − lr · g = ${numberText(weight, decimals)} − ${rate} · ${text(g)} = ${numberText(after, decimals)}`];
    this.#formula.replaceChildren(...lines.map((line) => element("span", {}, line)));
    const held = !this.#held ? "was None" : this.#left ? `held ${text(left)}` : "was zeroed";
    setText(this.#grad, `${letter}.grad ${held}; this backward pass has ${this.#left ? `added ${text(fresh)}` : "filled it"}.`);
  }

  /** Of the page's pictures, where the page can compute what they give. */
  get #labels() {
    const { steps, meta } = this.#state;
    return steps.some(({ kind }) => kind === "recorded") ? [] : (meta.labels ?? []);
  }

  /** How many of the page's pictures the network answers rightly. */
  #numRight() {
    return this.#labels.filter((label, sample) => {
      const shares = this.#engine.run(this.#state.input.valuesOf(sample)).slice(-1)[0];
      return shares.indexOf(Math.max(...shares)) === label;
    }).length;
  }

  #step() {
    const [gradients, held, before, optimizer] = [this.#gradients, this.#held, this.#state.before, this.#optimizer];
    if (!gradients) return;
    const saved = optimizer.save(this.#trained);
    const rightBefore = this.#numRight();
    const left = this.#left;
    const fresh = Object.entries(gradients.weights).filter(([name]) => this.#trained.includes(name));
    this.#held = Object.fromEntries(fresh.map(([name, values]) => [name, left ? values.map((value, i) => value + left[name][i]) : values]));
    optimizer.step(this.#held);
    this.#right = this.#labels.length ? `; right of the ${this.#labels.length} pictures here: ${rightBefore} → ${this.#numRight()}` : "";
    this.#back = () => {
      optimizer.restore(saved);
      this.#held = held;
      this.#state.before = before;
    };
    this.#state.before = gradients;
    this.#tell.changed();
  }

  #takeBack() {
    this.#back?.();
    this.#back = null;
    this.#right = "";
    this.#tell.changed();
  }

  /** Be as before the first step. */
  forget() {
    this.#held = this.#back = null;
    this.#right = "";
    for (const optimizer of this.#optimizers) Object.assign(optimizer, { memory: {}, numSteps: 0 });
  }
}
