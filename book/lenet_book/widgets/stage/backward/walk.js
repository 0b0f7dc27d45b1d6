// @ts-check
/** The walk back: the gradient that arrives at an operation, the rule, and what goes on; from the loss to the picture. */
import { Descent } from "./descent.js";
import { shortText } from "./figures.js";
import { backward } from "./gradients.js";
import { RuleViews } from "./views.js";
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

const ROLES = /** @type {const} */ (["weight", "bias"]);
const IN_WORDS = { weight: "weights", bias: "biases" };
const HIGH = { title: 24, strip: 44, maps: 72 }; // CSS pixels: over maps, for numbers in a few lines, and at least

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
  #state; #tell; #arrives; #goesOn; #own; #views; #descent;
  #reference = /** @type {import("./reference.js").Reference | null} */ (null);
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
    this.#goesOn = new Panel(state, "out", hands((at) => ({ role: "unit", at })), true, "gradient goes on");
    this.#own = ROLES.map((role) => {
      const maps = new Maps(`gradients of the ${IN_WORDS[role]}`, hands((at) => ({ role, at })), true);
      return { role, maps, title: element("p", { class: "lenet-muted lenet-over" }) };
    });
    this.#goesOn.room.prepend(...this.#own.flatMap(({ title, maps }) => [title, maps.canvas]), this.#valuesName);
    this.#goesOn.foot.append(this.#value);
    this.#arrives.foot.append(this.#note);
    this.#views = new RuleViews(state, this.#work, tell);
    this.#descent = new Descent(state, tell);
    if (state.model.send) this.#askPyTorch();
    const heading = element("p", { class: "lenet-heading" }, "the rule · ", this.#name, " ", this.#which);
    const sum = element("p", { class: "lenet-foot lenet-equation" }, this.#line, this.#result);
    const parts = [heading, this.#work, sum, this.#pytorch, this.#descent.node];
    const rule = element("section", { class: "lenet-panel lenet-panel-operation lenet-rule", "aria-label": "the rule" }, ...parts);
    this.nodes = [this.#arrives.node, rule, this.#goesOn.node];
  }

  async #askPyTorch() {
    const { Reference } = await import("./reference.js");
    this.#reference = new Reference(this.#state, () => this.#tell.moved());
    this.#tell.moved();
  }

  stop() {
    this.#reference?.stop();
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

  /** The weights and biases of the step: their names, shapes and gradients, and where they are shown. */
  get #layer() {
    return this.#own.flatMap((own) => {
      const name = this.#step[own.role] ?? "";
      const gradients = this.gradients.weights[name];
      return gradients ? [{ ...own, name, gradients, shape: this.#state.engine.arrays[name].shape }] : [];
    });
  }

  /** The number that is explained: the picked one, or else the strongest. @returns {Picked} */
  get #pickNow() {
    const { step, steps } = this.#state;
    if (step !== this.#at) this.#picked = this.#preview = null;
    this.#at = step;
    const [input] = this.#step.inputs;
    const below = { role: /** @type {const} */ ("unit"), gradients: this.values[input] ?? new Float32Array(1), shape: steps[input].shape };
    const all = [...this.#layer, below];
    const isThere = (/** @type {Picked | null} */ pick) => all.some(({ role, shape }) => role === pick?.role && isUnit(pick.at, shape));
    return [this.#preview, this.#picked].find(isThere) ?? { role: all[0].role, at: strongestIn(all[0].gradients, all[0].shape) };
  }

  /** What lies under a unit of what arrives: a weight of its filter, or the number in its place. @param {Unit} unit @returns {Picked} */
  #pickUnder(unit) {
    const { role, at } = this.#pickNow;
    if (role !== "unit") return { role, at: [unit[0], ...at.slice(1)] };
    const { shape } = this.#state.steps[this.#step.inputs[0]];
    return { role, at: this.#step.kind === "reshape" ? unitAt(flatIndex(unit, this.#step.shape), shape) : unit };
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
    return backSentence(this.#step, steps[this.#step.inputs[0]], this.#pickNow.role);
  }

  get hint() {
    return this.#isLoss ? "Say what the picture is: choose it here, or a bar of the answer." : SAME_SHAPES;
  }

  get aloud() {
    const what = this.#isLoss ? `Loss ${numberText(this.gradients.loss)}` : `${this.#which.textContent}: ${this.#result.textContent}`;
    return `${this.position}, ${this.#step.name}. ${what}.`;
  }

  get link() {
    const { role, at } = this.#pickNow;
    return `${role}=${at};label=${this.#state.label}`;
  }

  /** @param {Wanted} wanted */
  follow(wanted) {
    const { step, label } = wanted;
    const role = ROLES.find((own) => !Number.isNaN(wanted[own][0])) ?? "unit";
    this.#at = step;
    this.#picked = { role, at: wanted[role] };
    if (label !== null && label < this.#state.meta.classes.length) this.#state.said = label;
  }

  // ------------------------------------------------------------------------ what is shown

  fit() {
    const { room } = this.#goesOn;
    const layer = this.#layer;
    const [input] = this.#step.inputs;
    for (const { role, title, maps } of this.#own) title.hidden = maps.canvas.hidden = !layer.some((own) => own.role === role);
    this.#valuesName.hidden = !layer.length;
    this.#arrives.fit(this.#isLoss ? input : this.#state.step);
    const strips = layer.filter(({ shape }) => shape.length === 1);
    const titles = layer.length && layer.length + 1;
    const left = room.clientHeight - HIGH.title * titles - HIGH.strip * strips.length;
    const high = Math.max(left / (layer.length - strips.length + 1), HIGH.maps);
    for (const { maps, shape } of layer) maps.reshape(shape, 0, room.clientWidth, shape.length === 1 ? HIGH.strip : high);
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
    this.#paint(this.#goesOn, input, { unit: pick.role === "unit" ? pick.at : undefined });
    setText(this.#name, this.#isLoss ? "the loss" : this.#step.name);
    setText(this.#which, this.#isLoss ? "" : pick.role === "unit" ? `${steps[input].name}, ${unitText(pick.at)}` : weightText(pick));
    const result = explained?.result ?? this.gradients.loss;
    this.#showBelow(pick);
    setText(this.#line, this.#views.show(explained, this.gradients, theme));
    setText(this.#result, shortText(result));
    this.#result.title = `${result}`;
    this.#showWeights(pick, theme);
  }

  /** What stands below the rule, and leaves it the rest of the room. @param {Picked} pick */
  #showBelow(pick) {
    const own = this.#layer.find(({ role }) => role === pick.role);
    const spot = own ? { name: own.name, index: flatIndex(pick.at, own.shape), letter: own.role[0] } : null;
    setText(this.#pytorch, this.#reference?.compare(this.gradients, this.#key, spot) ?? "");
    this.#descent.show(this.gradients, spot);
  }

  /** At the loss arrive the shares. @param {Theme} theme */
  #paintShares(theme) {
    const { step, label, engine } = this.#state;
    setText(this.#arrives.title, "the answer");
    const marks = { unit: [label], label: "the shares; the right one is framed" };
    this.#arrives.maps.draw(engine.values[step], symmetricScale(signedPalette(theme), 1), theme, marks);
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
    const gates = "further on, relu and max-pool let a gradient through only where a number counted";
    setText(this.#note, isGated && share > MANY_ZEROS ? `${percentText(share, 0)} of them are 0: ${gates}.` : "");
  }

  /** @param {Picked} pick @param {Theme} theme */
  #showWeights(pick, theme) {
    for (const { role, name, shape, gradients, maps, title } of this.#layer) {
      const unit = role === pick.role ? pick.at : undefined;
      const value = unit ? `. Unit: ${weightText(pick)}; value ${gradients[flatIndex(unit, shape)].toPrecision(6)}.` : "";
      const scale = symmetricScale(signedPalette(theme), limitOf(gradients));
      maps.draw(gradients, scale, theme, { unit, label: `∂loss/∂${IN_WORDS[role]}${value}` });
      const frozen = this.#step.frozen?.includes(name) ? "; frozen" : "";
      setText(title, `∂loss/∂${IN_WORDS[role]}, ${shape.join("×")}: one for each ${role}${frozen}`);
    }
    const [input] = this.#step.inputs;
    const what = input ? "goes on to the step before" : "how the picture would make it worse";
    setText(this.#valuesName, `∂loss/∂${this.#state.steps[input].name}: ${what}`);
  }
}

/** Name a weight or bias. @param {Picked} pick */
function weightText({ role, at: [first, second, row, column] }) {
  if (second === undefined) return `${role} ${first}`;
  return row === undefined ? `weight from ${second} to ${first}` : `filter ${first}, channel ${second}, row ${row}, column ${column}`;
}
