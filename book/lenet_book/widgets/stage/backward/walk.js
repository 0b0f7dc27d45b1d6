// @ts-check
/** The walk back: the gradient that arrives at an operation, the rule, and what goes on; from the loss to the picture. */
import { Descent } from "./descent.js";
import { shortText } from "./figures.js";
import { backward } from "./gradients.js";
import { RuleViews } from "./views.js";
import { Reference } from "./reference.js";
import { backSentence, explain } from "./rules.js";
import { need } from "../engine.js";
import { flatIndex, isUnit, unitAt } from "../explanation.js";
import { Maps, limitOf, signedPalette, symmetricScale } from "../maps.js";
import { Panel, sizeText } from "../panels.js";
import { unitText } from "../words.js";
import { element, setText } from "../../shared/elements.js";
import { numberText, percentText } from "../../shared/text.js";

const MANY_ZEROS = 0.2;
const SAME_SHAPES = "A gradient has the shape of its value: one number for each, and says how the loss moves when that number moves.";

/** The place of the number that is farthest from 0. @param {Float32Array} values @param {number[]} shape */
function strongestIn(values, shape) {
  return unitAt(values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best]) ? i : best), 0), shape);
}

export class WalkBack {
  tabs = ["arrives", "rule", "goes on"];
  /** @type {Picked | null} */
  #picked = null;
  /** @type {Picked | null} */
  #preview = null;
  #at = -1;
  #key = "";
  #state; #tell; #arrives; #goesOn; #weights; #views; #descent; #reference;
  /** @type {Gradients | undefined} */
  #gradients;
  /** @type {Theme | undefined} */
  #theme;
  #note = element("span", { class: "lenet-note lenet-muted" });
  #value = element("span", { class: "lenet-value" });
  #name = element("b", {});
  #which = element("span", { class: "lenet-muted" });
  #work = element("div", { class: "lenet-room lenet-work" });
  #line = element("span", {});
  #result = element("strong", { class: "lenet-result" });
  #pytorch = element("p", { class: "lenet-muted lenet-pytorch" });
  #weightsName = element("p", { class: "lenet-muted lenet-over" });
  #valuesName = element("p", { class: "lenet-muted lenet-over" });

  /** @param {State} state @param {SideListener} tell */
  constructor(state, tell) {
    this.#state = state;
    this.#tell = tell;
    const hands = (/** @type {(unit: Unit) => Picked} */ as) => ({
      pick: (/** @type {Unit} */ unit) => this.#pick(as(unit)),
      point: (/** @type {Unit | null} */ unit) => this.#point(unit && as(unit)),
    });
    const over = hands((unit) => this.#pickUnder(unit));
    this.#arrives = new Panel(state, "in", over, false, "gradient arrives");
    this.#goesOn = new Panel(state, "out", hands((unit) => ({ unit })), true, "gradient goes on");
    this.#weights = new Maps("gradients of the weights", hands((weight) => ({ weight })), true);
    this.#goesOn.room.prepend(this.#weightsName, this.#weights.canvas, this.#valuesName);
    this.#goesOn.foot.append(this.#value);
    this.#arrives.foot.append(this.#note);
    this.#views = new RuleViews(state, this.#work, tell);
    this.#descent = new Descent(state, tell);
    this.#reference = new Reference(state, () => tell.moved());
    const heading = element("p", { class: "lenet-heading" }, "the rule · ", this.#name, " ", this.#which);
    const sum = element("p", { class: "lenet-foot lenet-equation" }, this.#line, this.#result);
    const rule = element("section", { class: "lenet-panel lenet-panel-operation lenet-rule", "aria-label": "the rule" }, heading, this.#work, sum, this.#pytorch, this.#descent.node);
    this.nodes = [this.#arrives.node, rule, this.#goesOn.node];
  }

  stop() {
    this.#reference.stop();
  }

  unteach() {
    this.#descent.forget();
  }

  /** Of the present weights and picture, and what it is. */
  get gradients() {
    const { engine, label, runs } = this.#state;
    const key = `${runs} ${label}`;
    if (key !== this.#key || !this.#gradients) this.#gradients = backward(engine, label);
    this.#key = key;
    return this.#gradients;
  }

  get values() {
    return this.gradients.values;
  }

  /** @param {number} step @returns {Scale | undefined} */
  scaleOf(step) {
    const limit = limitOf(this.values[step] ?? []);
    return this.#theme && symmetricScale(signedPalette(this.#theme), limit);
  }

  /** The place where the walk ends: at the picture, or where an operation has no backward. */
  get last() {
    return 2 * this.#state.steps.length - 1 - Math.max(1, this.gradients.blockedAt?.step ?? 1);
  }

  // ------------------------------------------------------------------------ what is looked at

  get #step() {
    return this.#state.steps[this.#state.step];
  }

  get #isLoss() {
    return this.#state.step === this.#state.steps.length - 1;
  }

  /** The weights of the step: their name, shape and gradients. */
  get #layer() {
    const name = this.#step.weight;
    const gradients = name && this.gradients.weights[name];
    return gradients && this.#step.kind !== "batchNorm" ? { name, shape: this.#state.engine.arrays[name].shape, gradients } : null;
  }

  /** The number that is explained: the picked one, or else the strongest. @returns {Picked} */
  get #pickNow() {
    const { step, steps } = this.#state;
    if (step !== this.#at) this.#picked = this.#preview = null;
    this.#at = step;
    const layer = this.#layer;
    const below = steps[this.#step.inputs[0]].shape;
    const isThere = (/** @type {Picked | null} */ pick) => pick && ("weight" in pick ? layer && isUnit(pick.weight, layer.shape) : isUnit(pick.unit, below)) && pick;
    const strongest = () => (layer ? { weight: strongestIn(layer.gradients, layer.shape) } : { unit: strongestIn(this.values[this.#step.inputs[0]] ?? new Float32Array(1), below) });
    return isThere(this.#preview) || isThere(this.#picked) || strongest();
  }

  /** What lies under a unit of what arrives: a weight of its filter, or the number in its place. @param {Unit} unit @returns {Picked} */
  #pickUnder(unit) {
    const pick = this.#pickNow;
    if ("weight" in pick) return { weight: [unit[0], ...pick.weight.slice(1)] };
    const shape = this.#state.steps[this.#step.inputs[0]].shape;
    return { unit: this.#step.kind === "reshape" ? unitAt(flatIndex(unit, this.#step.shape), shape) : unit };
  }

  /** @param {Picked} pick */
  #pick(pick) {
    this.#picked = pick;
    this.#point(null);
    this.#tell.picked();
  }

  /** @param {Picked | null} pick */
  #point(pick) {
    this.#preview = pick;
    this.#tell.moved();
  }

  // ------------------------------------------------------------------------ words

  get position() {
    const { step, steps } = this.#state;
    return `backward, step ${steps.length - step} of ${this.last - steps.length + 1}`;
  }

  get sentence() {
    const { steps, step } = this.#state;
    const blocked = this.gradients.blockedAt;
    if (blocked?.step === step) return `The walk ends here: ${blocked.reason}.`;
    return backSentence(this.#step, steps[this.#step.inputs[0]], "weight" in this.#pickNow);
  }

  get hint() {
    return this.#isLoss ? "Say what the picture is: choose it here, or a bar of the answer." : SAME_SHAPES;
  }

  get aloud() {
    return `${this.position}, ${this.#step.name}. ${this.#isLoss ? `Loss ${numberText(this.gradients.loss)}.` : `${this.#which.textContent}: ${this.#result.textContent}.`}`;
  }

  get link() {
    const pick = this.#pickNow;
    return `${"weight" in pick ? `weight=${pick.weight}` : `unit=${pick.unit}`};label=${this.#state.label}`;
  }

  /** @param {Wanted} wanted */
  follow({ step, unit, weight, label }) {
    this.#at = step;
    this.#picked = Number.isNaN(weight[0]) ? { unit } : { weight };
    if (label !== null && label < this.#state.meta.classes.length) this.#state.said = label;
  }

  // ------------------------------------------------------------------------ what is shown

  fit() {
    const { room } = this.#goesOn;
    const layer = this.#layer;
    const [input] = this.#step.inputs;
    for (const node of [this.#weightsName, this.#weights.canvas, this.#valuesName]) node.hidden = !layer;
    this.#arrives.fit(this.#isLoss ? input : this.#state.step);
    const high = room.clientHeight / (layer ? 2 : 1) - (layer ? 24 : 0);
    if (layer) this.#weights.reshape(layer.shape, 0, room.clientWidth, high);
    this.#goesOn.fit(input, high);
  }

  /** @param {Theme} theme */
  show(theme) {
    this.#theme = theme;
    const { step, steps, engine } = this.#state;
    const [input] = this.#step.inputs;
    const pick = this.#pickNow;
    const explained = this.#isLoss || this.gradients.blockedAt?.step === step ? null : explain(engine, this.gradients, step, pick);
    if (this.#isLoss) this.#paintShares(theme);
    else this.#paint(this.#arrives, step, { box: explained?.from });
    this.#paint(this.#goesOn, input, { unit: "unit" in pick ? pick.unit : undefined });
    setText(this.#name, this.#isLoss ? "the loss" : this.#step.name);
    setText(this.#which, this.#isLoss ? "" : "weight" in pick ? weightText(pick.weight) : `${steps[input].name}, ${unitText(pick.unit)}`);
    const result = explained?.result ?? this.gradients.loss;
    setText(this.#line, this.#views.show(explained, this.gradients, theme));
    setText(this.#result, shortText(result));
    this.#result.title = `${result}`;
    this.#showWeights(pick, theme);
    const spot = this.#layer && "weight" in pick ? { name: this.#layer.name, index: flatIndex(pick.weight, this.#layer.shape) } : null;
    setText(this.#pytorch, this.#reference.compare(this.gradients, this.#key, spot));
    this.#descent.show(this.gradients, spot);
  }

  /** At the loss arrive the shares. @param {Theme} theme */
  #paintShares(theme) {
    const { step, label, engine } = this.#state;
    setText(this.#arrives.title, "the answer");
    this.#arrives.maps.draw(engine.values[step], symmetricScale(signedPalette(theme), 1), theme, { unit: [label], label: "the shares; the right one is framed" });
    this.#arrives.describe("shares p", sizeText(this.#step.shape), "±1");
    setText(this.#note, "");
  }

  /** @param {Panel} panel @param {number} step @param {{ unit?: Unit, box?: Box | null }} marks */
  #paint(panel, step, marks) {
    const { name, shape } = this.#state.steps[step];
    const values = this.values[step] ?? new Float32Array(this.#state.engine.values[step].length);
    const limit = limitOf(values);
    const value = marks.unit ? `. Unit: ${unitText(marks.unit)}; value ${values[flatIndex(marks.unit, shape)].toPrecision(6)}.` : "";
    panel.maps.draw(values, need(this.scaleOf(step)), need(this.#theme), { ...marks, label: `∂loss/∂${name}${value}` });
    panel.describe(`∂loss/∂${name}`, sizeText(shape), values.some(Boolean) ? `±${shortText(limit)}` : "all are 0");
    if (panel === this.#goesOn) return;
    setText(panel.title, "gradient arrives");
    const share = values.filter((value) => value === 0).length / values.length;
    const isGated = this.#state.steps.slice(step + 1).some(({ kind }) => ["relu", "maxPool"].includes(kind));
    setText(this.#note, isGated && share > MANY_ZEROS ? `${percentText(share, 0)} of them are 0: further on, relu and max-pool let a gradient through only where a number counted.` : "");
  }

  /** @param {Picked} pick @param {Theme} theme */
  #showWeights(pick, theme) {
    const layer = this.#layer;
    if (!layer) return;
    const scale = symmetricScale(signedPalette(theme), limitOf(layer.gradients));
    const unit = "weight" in pick ? pick.weight : undefined;
    this.#weights.draw(layer.gradients, scale, theme, { unit, label: `∂loss/∂weights${unit ? `. Weight: ${weightText(unit)}; value ${layer.gradients[flatIndex(unit, layer.shape)].toPrecision(6)}.` : ""}` });
    setText(this.#weightsName, `∂loss/∂weights, ${layer.shape.join("×")}: one for each weight`);
    setText(this.#valuesName, `∂loss/∂${this.#state.steps[this.#step.inputs[0]].name}: ${this.#step.inputs[0] ? "goes on to the step before" : "how the picture would make it worse"}`);
  }
}

/** Name a weight. @param {Unit} weight */
function weightText([first, second, row, column]) {
  if (second === undefined) return `weight ${first}`;
  return row === undefined ? `weight from ${second} to ${first}` : `filter ${first}, channel ${second}, row ${row}, column ${column}`;
}
