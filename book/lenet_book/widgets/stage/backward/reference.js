// @ts-check
/** PyTorch's own gradients of the same picture, label and weights: `reference.py` gives them where a kernel runs. */
import { limitOf } from "../maps.js";
import { sumOf } from "../../shared/numbers.js";
import { countText, shortText } from "../../shared/text.js";

export class Reference {
  #state;
  /** The last question; its number is 0 once it is answered. */
  #question = { number: 0, about: /** @type {Gradients} */ ({ weights: {} }) };
  #answer = /** @type {PyTorchAnswer | null} */ (null);

  /** @param {State} state @param {() => void} came  hears that there is an answer */
  constructor(state, came) {
    this.#state = state;
    const hear = (/** @type {any} */ { number, reason = "", loss, names = [] }, /** @type {DataView[]} */ buffers) => {
      if (number !== this.#question.number) return; // that of another view
      const numbers = buffers.map(({ buffer, byteOffset, byteLength }) => new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)));
      const weights = Object.fromEntries(names.map((/** @type {string} */ name, /** @type {number} */ i) => [name, numbers[i]]));
      this.#answer = { ...this.#question, loss, weights, reason, all: allText(weights, this.#question.about.weights) };
      this.#question.number = 0;
      came();
    };
    state.model.on("msg:custom", hear);
    this.stop = () => state.model.off("msg:custom", hear);
  }

  /**
   * Say how far the page's gradients are from PyTorch's, once these have come.
   *
   * @param {Gradients} gradients
   * @param {{ name: string, index: number }} look  what is looked at; only weights have names
   */
  compare(gradients, { name, index }) {
    if (gradients !== this.#answer?.about) return this.#ask(gradients);
    const { loss, weights, reason, all } = this.#answer;
    if (reason) return `PyTorch gives no gradients: ${reason}`;
    const [theirs, own] = name ? [weights[name]?.[index], gradients.weights[name][index]] : [loss, gradients.loss];
    const first = theirs === undefined ? "None" : `${shortText(theirs)}, difference ${smallText(theirs - own)}`;
    return `PyTorch's ${name ? ".grad" : "loss"}: ${first}. ${all}`;
  }

  /** One question at a time: the next one is asked when its answer has come. @param {Gradients} about */
  #ask(about) {
    const { model, engine, label, start, isTaught } = this.#state;
    if (!model.send || this.#question.number) return "";
    this.#question = { number: Math.random(), about };
    const names = isTaught ? Object.keys(start) : [];
    const buffers = [engine.values[0], ...names.map((name) => engine.arrays[name].data)].map((values) => Float32Array.from(values).buffer);
    model.send({ number: this.#question.number, label, names }, undefined, buffers);
    return "";
  }
}

/** Say how far the gradients of all weights are apart. @param {Record<string, Float32Array>} theirs @param {Record<string, Float32Array>} own */
function allText(theirs, own) {
  const names = Object.keys(theirs).filter((name) => name in own);
  const shares = names.map((name) => {
    return theirs[name].reduce((most, value, i) => Math.max(most, Math.abs(value - own[name][i])), 0) / limitOf(theirs[name]);
  });
  const count = sumOf(names.map((name) => theirs[name].length));
  return `Of all ${countText(count)} gradients, none is off by more than ${smallText(Math.max(0, ...shares))} of its layer's largest.`;
}

/** @param {number} value */
function smallText(value) {
  return Math.abs(value).toExponential(0).replace("-", "−");
}
