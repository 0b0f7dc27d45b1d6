// @ts-check
/** One step of gradient descent: the picked weight in numbers, the learning rate, all weights at once, and back. */
import { Adam, SGD, scoreOf, trainedNames } from "./training.js";
import { Engine } from "../engine.js";
import { inBrackets } from "../words.js";
import { button, element, setText } from "../../shared/elements.js";
import { checkbox, choice } from "../../shared/fields.js";
import { sumOf } from "../../shared/numbers.js";
import { countText, decimalsFor, numberText, shortText } from "../../shared/text.js";

/** What is looked at, and its place among its gradients; only weights and biases have a name. @typedef {{ role: Picked["role"], name: string, index: number, gradients: Float32Array }} Spot */

/** What a reader sets or does, in a line. @param {...HTMLElement} parts */
export function settingsOf(...parts) {
  return element("div", { class: "lenet-settings" }, ...parts);
}

/** A slider for learning rates from 0.001 to 10. @param {() => void} moved */
export function rateSlider(moved) {
  const slider = element("input", { type: "range", min: -3, max: 1, step: 0.1, value: -2, "aria-label": "learning rate", oninput: moved });
  const node = element("label", {}, "learning rate ", slider);
  return { node, value: () => Number((10 ** Number(slider.value)).toPrecision(2)) };
}

export class Descent {
  #state; #tell; #gradients; #names; #examples;
  /** @type {SGD[]} */
  #optimizers = [];
  /** What is in .grad since the last step; null before the first. @type {Record<string, Float32Array> | null} */
  #held = null;
  /** What undoes the last step. @type {(() => void) | null} */
  #back = null;
  #formula = element("p", { class: "lenet-update" });
  #grad = element("p", { class: "lenet-muted lenet-grad" });
  #outcome = element("p", { class: "lenet-outcome", role: "status" });
  #rate = rateSlider(() => this.#tell.moved());
  #rateText = element("b", {});
  #rule = choice("", ["SGD", "Adam"], () => this.#tell.moved(), { "aria-label": "optimizer" });
  #forgot = checkbox("forgot zero_grad", () => this.#tell.moved());
  #all = button("", () => this.#step(), { class: "lenet-button lenet-main" });
  #undo = button("Undo", () => this.#back?.());

  /** @param {State} state @param {() => Gradients} gradients  the present ones @param {SideListener} tell */
  constructor(state, gradients, tell) {
    const { steps, engine: { arrays }, input, meta } = state;
    this.#state = state;
    this.#tell = tell;
    this.#gradients = gradients;
    this.#names = trainedNames(steps).filter((name) => name in gradients().weights);
    const labels = steps.some(({ kind }) => kind === "recorded") ? [] : (meta.labels ?? []); // of pictures whose answers the page can compute
    this.#examples = labels.map((label, sample) => ({ picture: input.valuesOf(sample), label }));
    setText(this.#all, `Do it, for all ${countText(sumOf(this.#names.map((name) => arrays[name].data.length)))}`);
    const settings = settingsOf(this.#rate.node, this.#rateText, this.#rule.node);
    const doing = settingsOf(this.#all, this.#undo, this.#forgot.node, this.#outcome);
    this.node = element("div", { class: "lenet-descent" }, this.#formula, this.#grad, settings, doing);
    this.forget();
  }

  get #optimizer() { return Object.assign(this.#optimizers[this.#rule.box.selectedIndex], { rate: this.#rate.value() }); }

  /** What is left of the backward passes before, where it was not zeroed. */
  get #left() { return this.#forgot.box.checked ? this.#held : null; }

  /** @param {Gradients} gradients @param {Spot} spot */
  show(gradients, spot) {
    const { before, meta: { classes } } = this.#state;
    setText(this.#rateText, String(this.#optimizer.rate));
    this.#undo.disabled = !this.#back;
    this.#formula.hidden = this.#grad.hidden = !spot.name;
    if (spot.name) this.#showWeight(spot);
    const answers = [before, gradients].map((one) => one && classes[one.shares.indexOf(Math.max(...one.shares))]);
    const losses = [before, gradients].map((one) => one && numberText(one.loss));
    setText(this.#outcome, before ? `${answers.join(" → ")}, loss ${losses.join(" → ")}${before.right ?? ""}` : "");
  }

  /** @param {Spot} spot */
  #showWeight({ name, index, role: [letter], gradients }) {
    const [weight, fresh] = [this.#state.engine.arrays[name].data[index], gradients[index]];
    if (!this.#names.includes(name)) {
      this.#formula.replaceChildren(`${letter} stays ${numberText(weight)}: it is frozen, its requires_grad is False.`);
      return setText(this.#grad, `${letter}.grad stays None; the gradient above is what it would be.`);
    }
    const g = (this.#left?.[name][index] ?? 0) + fresh;
    const { rate, numSteps, memory: { [name]: memory } } = this.#optimizer;
    const [mean, square] = [0, 1].map((i) => memory?.[i][index] ?? 0);
    const [m, v] = [0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g];
    const [first, second] = [m / (1 - 0.9 ** (numSteps + 1)), v / (1 - 0.999 ** (numSteps + 1))];
    const decimals = Math.max(4, decimalsFor(Math.abs(rate * g)));
    const text = (/** @type {number} */ value) => inBrackets(value, numberText(value, decimals));
    const short = (/** @type {number} */ value) => inBrackets(value, shortText(value));
    const lines = this.#rule.box.selectedIndex
      ? [
          `m ← 0.9 · ${short(mean)} + 0.1 · ${short(g)} = ${shortText(m)}`,
          `v ← 0.999 · ${short(square)} + 0.001 · ${short(g)}² = ${shortText(v)}`,
          `${letter} ← ${numberText(weight)} − ${rate} · ${short(first)} / √${short(second)} = ${numberText(weight - (rate * first) / (Math.sqrt(second) + 1e-8))}`,
        ]
      : [`${letter} ← ${letter} − lr · g = ${numberText(weight, decimals)} − ${rate} · ${text(g)} = ${numberText(weight - rate * g, decimals)}`];
    this.#formula.replaceChildren(...lines.map((line) => element("span", {}, line)));
    const held = !this.#held ? "was None" : this.#left ? `held ${text(g - fresh)}` : "was zeroed";
    setText(this.#grad, `${letter}.grad ${held}; this backward pass has ${this.#left ? `added ${text(fresh)}` : "filled it"}.`);
  }

  /** How many of the page's pictures the network answers rightly. */
  get #numRight() { return scoreOf(new Engine(this.#state.steps, this.#state.engine.arrays), this.#examples).numRight; }

  #step() {
    const { weights, loss, shares } = this.#gradients();
    const [held, left, optimizer, { before }] = [this.#held, this.#left, this.#optimizer, this.#state];
    const { arrays, ...kept } = structuredClone({ ...optimizer });
    const numRight = this.#numRight;
    this.#held = Object.fromEntries(this.#names.map((name) => [name, weights[name].map((value, i) => value + (left?.[name][i] ?? 0))]));
    optimizer.step(this.#held);
    const right = this.#examples.length ? `; right of the ${this.#examples.length} pictures here: ${numRight} → ${this.#numRight}` : "";
    this.#back = () => {
      for (const name of this.#names) optimizer.arrays[name].data.set(arrays[name].data);
      Object.assign(optimizer, kept);
      [this.#held, this.#back, this.#state.before] = [held, null, before];
      this.#tell.changed();
    };
    this.#state.before = { loss, shares, right };
    this.#tell.changed();
  }

  /** Be as before the first step. */
  forget() {
    [this.#held, this.#back] = [null, null];
    this.#optimizers = [SGD, Adam].map((Rule) => new Rule(this.#state.engine.arrays, 1));
  }
}
