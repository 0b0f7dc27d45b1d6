// @ts-check
/** PyTorch's own gradients of the same picture, label and weights: `reference.py` gives them where a kernel runs. */
import { shortText } from "./texts.js";
import { sumOf } from "../../shared/numbers.js";
import { countText } from "../../shared/text.js";

export class Reference {
  #state;
  /** The last question; its number is 0 once it is answered. */
  #question = { number: 0, key: "" };
  #answer = /** @type {PyTorchAnswer | null} */ (null);
  /** How far all gradients are apart, once that was asked. */
  #all = "";

  /** @param {State} state @param {() => void} came  hears that there is an answer */
  constructor(state, came) {
    this.#state = state;
    const hear = (/** @type {any} */ { number, reason = "", loss, names = [] }, /** @type {DataView[]} */ buffers) => {
      if (number !== this.#question.number) return; // that of another view
      const numbers = buffers.map(({ buffer, byteOffset, byteLength }) => new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)));
      const weights = Object.fromEntries(names.map((/** @type {string} */ name, /** @type {number} */ i) => [name, numbers[i]]));
      this.#answer = { loss, weights, reason };
      this.#question.number = 0;
      this.#all = "";
      came();
    };
    state.model.on("msg:custom", hear);
    this.stop = () => state.model.off("msg:custom", hear);
  }

  /**
   * Say how far the page's gradients are from PyTorch's, once these have come.
   *
   * @param {Gradients} gradients @param {string} key  another for other gradients
   * @param {{ name: string, index: number } | null} spot  the weight that is looked at
   */
  compare(gradients, key, spot) {
    if (key !== this.#question.key) this.#ask(key);
    if (key !== this.#question.key || this.#question.number || !this.#answer) return "";
    const { loss, weights, reason } = this.#answer;
    if (reason) return `PyTorch gives no gradients: ${reason}`;
    const [theirs, own] = spot ? [weights[spot.name]?.[spot.index], gradients.weights[spot.name][spot.index]] : [loss, gradients.loss];
    const first = theirs === undefined ? "None" : `${shortText(theirs)}, difference ${smallText(theirs - own)}`;
    this.#all ||= allText(weights, gradients.weights);
    return `PyTorch's ${spot ? ".grad" : "loss"}: ${first}. ${this.#all}`;
  }

  /** One question at a time: the next one is asked when its answer has come. @param {string} key */
  #ask(key) {
    const { model, engine, label, start, isTaught } = this.#state;
    if (!model.send || this.#question.number) return;
    this.#question = { number: Math.random(), key };
    const names = isTaught ? Object.keys(start) : [];
    const buffers = [engine.values[0], ...names.map((name) => engine.arrays[name].data)].map((values) => Float32Array.from(values).buffer);
    model.send({ number: this.#question.number, label, names }, undefined, buffers);
  }
}

/** Say how far the gradients of all weights are apart. @param {Record<string, Float32Array>} theirs @param {Record<string, Float32Array>} own */
function allText(theirs, own) {
  const names = Object.keys(theirs).filter((name) => name in own);
  const shares = names.map((name) => farthest(theirs[name].map((value, i) => value - own[name][i])) / (farthest(theirs[name]) || 1));
  const count = sumOf(names.map((name) => theirs[name].length));
  return `Of all ${countText(count)} gradients, none is off by more than ${smallText(Math.max(0, ...shares))} of its layer's largest.`;
}

/** How far numbers reach from 0. @param {Float32Array} values */
function farthest(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** @param {number} value */
function smallText(value) {
  return Math.abs(value).toExponential(0).replace("-", "−");
}
