// @ts-check
/** One step of gradient descent: the picked weight in numbers, the learning rate, all weights at once, and back. */
import { decimalsFor, shortText } from "./figures.js";
import { Adam, SGD, trainedNames } from "./optimizers.js";
import { Trainer } from "./training.js";
import { button, element, setAttribute, setText } from "../../shared/elements.js";
import { checkbox, choice } from "../../shared/fields.js";
import { countText, numberText } from "../../shared/text.js";

/** The weight that is looked at. @typedef {{ name: string, index: number }} Spot */

/** A slider for learning rates from 0.001 to 10. @param {() => void} moved */
export function rateSlider(moved) {
  return element("input", { type: "range", min: -3, max: 1, step: 0.1, value: -2, "aria-label": "learning rate", oninput: moved });
}

/** The learning rate that a slider stands at. @param {HTMLInputElement} slider */
export function rateOf(slider) {
  return Number((10 ** Number(slider.value)).toPrecision(2));
}

export class Descent {
  #state; #tell; #optimizers; #trainer;
  #gradients = /** @type {Gradients | null} */ (null);
  /** What is in .grad since the last step; null before the first. @type {Record<string, Float32Array> | null} */
  #held = null;
  /** What undoes the last step. @type {(() => void) | null} */
  #back = null;
  #right = "";
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
    this.#trainer = new Trainer(steps, engine.arrays, 1);
    setAttribute(this.#rule.box, "aria-label", "optimizer");
    const settings = element("div", { class: "lenet-settings" }, element("label", {}, "learning rate ", this.#rate), this.#rateText, this.#rule.node, this.#forgot.node);
    this.node = element("div", { class: "lenet-descent" }, this.#formula, this.#grad, settings, element("div", { class: "lenet-settings" }, this.#all, this.#undo, this.#outcome));
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
    const count = Object.keys(gradients.weights).reduce((sum, name) => sum + engine.arrays[name].data.length, 0);
    setText(this.#rateText, String(this.#optimizer.rate));
    setText(this.#all, `Do it, for all ${countText(count)}`);
    this.#undo.disabled = !this.#back;
    this.#formula.hidden = this.#grad.hidden = !spot;
    if (spot) this.#showWeight(gradients, spot);
    if (!before) return setText(this.#outcome, "");
    const answer = (/** @type {ArrayLike<number>} */ shares) => meta.classes[Array.from(shares).indexOf(Math.max(...Array.from(shares)))];
    setText(this.#outcome, `${answer(before.shares)} → ${answer(gradients.shares)}, loss ${numberText(before.loss)} → ${numberText(gradients.loss)}${this.#right}`);
  }

  /** @param {Gradients} gradients @param {Spot} spot */
  #showWeight({ weights }, { name, index }) {
    const { rate, memory, numSteps } = this.#optimizer;
    const weight = this.#state.engine.arrays[name].data[index];
    const [left, fresh] = [this.#left?.[name][index] ?? 0, weights[name][index]];
    const g = left + fresh;
    const decimals = Math.max(4, decimalsFor(Math.abs(rate * g)));
    const text = (/** @type {number} */ value) => (value < 0 ? `(${numberText(value, decimals)})` : numberText(value, decimals));
    const lines = [`w ← w − lr · g = ${numberText(weight, decimals)} − ${rate} · ${text(g)} = ${numberText(weight - rate * g, decimals)}`];
    if (this.#rule.box.selectedIndex) {
      const [mean, square] = [0, 1].map((i) => memory[name]?.[i][index] ?? 0);
      const [m, v] = [0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g];
      const [first, second] = [m / (1 - 0.9 ** (numSteps + 1)), v / (1 - 0.999 ** (numSteps + 1))];
      const short = (/** @type {number} */ value) => (value < 0 ? `(${shortText(value)})` : shortText(value));
      lines[0] = `m ← 0.9 · ${short(mean)} + 0.1 · ${short(g)} = ${shortText(m)}`;
      lines.push(`v ← 0.999 · ${short(square)} + 0.001 · ${short(g)}² = ${shortText(v)}`);
      lines.push(`w ← ${numberText(weight)} − ${rate} · ${short(first)} / √${short(second)} = ${numberText(weight - (rate * first) / (Math.sqrt(second) + 1e-8))}`);
    }
    this.#formula.replaceChildren(...lines.map((line) => element("span", {}, line)));
    setText(this.#grad, !this.#held ? "w.grad was None; this backward pass has filled it." : this.#left ? `w.grad held ${text(left)}; this backward pass has added ${text(fresh)}.` : "w.grad was zeroed; this backward pass has filled it.");
  }

  /** Of the page's pictures, where the page can compute what they give. */
  get #labels() {
    const { steps, meta } = this.#state;
    return steps.some(({ kind }) => kind === "recorded") ? [] : (meta.labels ?? []);
  }

  /** How many of the page's pictures the network answers rightly. */
  #numRight() {
    const { input } = this.#state;
    const labels = this.#labels;
    return this.#trainer.score(labels.map((_, sample) => input.valuesOf(sample)), labels).numRight;
  }

  #step() {
    const [gradients, held, before, optimizer] = [this.#gradients, this.#held, this.#state.before, this.#optimizer];
    if (!gradients) return;
    const saved = optimizer.save(trainedNames(this.#state.steps));
    const rightBefore = this.#numRight();
    const left = this.#left;
    this.#held = Object.fromEntries(Object.entries(gradients.weights).map(([name, fresh]) => [name, fresh.map((value, i) => value + (left ? left[name][i] : 0))]));
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
