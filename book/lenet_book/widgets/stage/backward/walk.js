// @ts-check
/** The walk back: the gradient that arrives at an operation, the rule, and what goes on; from the loss to the picture. */
import { Descent } from "./descent.js";
import { Backward, termsOf } from "./gradients.js";
import { Reference } from "./reference.js";
import { backSentence, shortText } from "./texts.js";
import { RuleViews } from "./views.js";
import { flatIndex, isUnit, unitAt } from "../explanation.js";
import { Maps, limitOf } from "../maps.js";
import { Panel, sizeText } from "../panels.js";
import { unitText } from "../words.js";
import { element, setText } from "../../shared/elements.js";
import { productOf } from "../../shared/numbers.js";
import { numberText } from "../../shared/text.js";

/** Where gradients that go on are shown: those of weights, of biases, and of what goes in. @typedef {{ role: Picked["role"], maps: Maps, title: HTMLElement }} Place */
/** The gradients there. @typedef {Place & { name: string, shape: number[], gradients: Float32Array }} Look */

const SAY = "Say what the picture is: choose it here, or a bar of the answer.";
const SAME_SHAPES = "A gradient has the shape of its value: one number for each, and says how the loss moves when that number moves.";
const IN_WORDS = { weight: "weights", bias: "biases" };
const HIGH = { title: 24, strip: 44, maps: 72 }; // CSS pixels: over maps, for numbers in a few lines, and at least

export class WalkBack {
  tabs = ["arrives", "rule", "goes on"];
  /** What was picked, and what the pointer is over. @type {(Picked | null)[]} */
  #picks = [];
  #at = -1;
  #key = "";
  #state; #tell; #walk; #probe; #arrives; #goesOn; #places; #views; #descent; #reference;
  #gradients = /** @type {Gradients | null} */ (null);
  #name = element("b", {});
  #which = element("span", { class: "lenet-muted" });
  #work = element("div", { class: "lenet-room lenet-work" });
  #line = element("span", {});
  #result = element("strong", { class: "lenet-result" });
  #pytorch = element("p", { class: "lenet-muted lenet-pytorch" });

  /** @param {State} state @param {SideListener} tell */
  constructor(state, tell) {
    this.#state = state;
    this.#tell = tell;
    this.#walk = new Backward([state.engine]);
    this.#probe = new Backward([state.engine]);
    const hands = (/** @type {(unit: Unit) => Picked} */ as) => ({
      pick: (/** @type {Unit} */ unit) => this.#pick(as(unit)),
      point: (/** @type {Unit | null} */ unit) => this.#point(unit && as(unit)),
    });
    this.#arrives = new Panel(state, "in", hands((unit) => this.#pickUnder(unit)), false, "gradient arrives");
    this.#goesOn = new Panel(state, "out", hands((at) => ({ role: "unit", at })), true, "gradient goes on");
    const title = () => element("p", { class: "lenet-muted lenet-over" });
    const own = /** @type {const} */ (["weight", "bias"]).map((role) => {
      return { role, title: title(), maps: new Maps(`gradients of the ${IN_WORDS[role]}`, hands((at) => ({ role, at })), true) };
    });
    /** @type {Place[]} */
    this.#places = [...own, { role: "unit", title: title(), maps: this.#goesOn.maps }];
    this.#goesOn.room.replaceChildren(...this.#places.flatMap(({ title, maps }) => [title, maps.canvas]));
    this.#views = new RuleViews(state, this.#work, tell);
    this.#descent = new Descent(state, tell);
    this.#reference = new Reference(state, () => tell.moved());
    const heading = element("p", { class: "lenet-heading" }, "the rule · ", this.#name, " ", this.#which);
    const sum = element("p", { class: "lenet-foot lenet-equation" }, this.#line, this.#result);
    const parts = [heading, this.#work, sum, this.#pytorch, this.#descent.node];
    const rule = element("section", { class: "lenet-panel lenet-panel-operation lenet-rule", "aria-label": "the rule" }, ...parts);
    this.nodes = [this.#arrives.node, rule, this.#goesOn.node];
  }

  stop() { this.#reference.stop(); }

  unteach() { this.#descent.forget(); }

  /** Of the present weights and picture, and what it is. @returns {Gradients} */
  get gradients() {
    const { label, runs } = this.#state;
    const key = `${runs} ${label}`;
    if (key !== this.#key || !this.#gradients) this.#gradients = { ...this.#walk.run([label])[0], values: this.#walk.values[0], weights: this.#walk.weights };
    this.#key = key;
    return this.#gradients;
  }

  /** By step, what the row of steps shows. */
  get values() { return this.gradients.values; }

  /** @param {number} step */
  scaleOf(step) { return this.#state.scales.around0(this.values[step] ?? []); }

  /** The place where the walk ends: at the picture, or where an operation has no backward. */
  get last() { return 2 * this.#state.steps.length - 1 - (this.#walk.blockedAt ?? 1); }

  // ------------------------------------------------------------------------ what is looked at

  get #step() { return this.#state.steps[this.#state.step]; }

  get #isLoss() { return this.#state.step === this.#state.steps.length - 1; }

  get #below() { return this.#state.steps[this.#step.inputs[0]]; }

  /** The weights and biases of the step, as far as it has any, and what goes in. */
  get #looks() {
    const { weights, values } = this.gradients;
    const { shape } = this.#below;
    const unit = { name: "", shape, gradients: values[this.#step.inputs[0]] ?? new Float32Array(productOf(shape)) };
    return this.#places.flatMap(/** @returns {Look[]} */ (place) => {
      if (place.role === "unit") return [{ ...place, ...unit }];
      const name = this.#step[place.role] ?? "";
      return weights[name] ? [{ ...place, name, shape: this.#state.engine.arrays[name].shape, gradients: weights[name] }] : [];
    });
  }

  /** Where the number stands that is explained: under the pointer, picked, or else the strongest. @returns {Look & { at: Unit }} */
  get #look() {
    const { step } = this.#state;
    if (step !== this.#at) this.#picks = [];
    this.#at = step;
    const looks = this.#looks;
    const found = this.#picks.flatMap((pick) => {
      const look = looks.find(({ role, shape }) => role === pick?.role && isUnit(pick.at, shape));
      return look && pick ? [{ ...look, at: pick.at }] : [];
    });
    const [{ gradients, shape }] = looks;
    const strongest = gradients.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradients[best]) ? i : best), 0);
    return found.at(-1) ?? { ...looks[0], at: unitAt(strongest, shape) };
  }

  /** What lies under a unit of what arrives: a weight of its filter, or the number in its place. @param {Unit} unit @returns {Picked} */
  #pickUnder(unit) {
    const { role, at, shape } = this.#look;
    if (role !== "unit") return { role, at: [unit[0], ...at.slice(1)] };
    return { role, at: this.#step.kind === "reshape" ? unitAt(flatIndex(unit, this.#step.shape), shape) : unit };
  }

  /** @param {Picked} pick */
  #pick(pick) {
    this.#picks = [pick];
    this.#tell.moved();
    this.#tell.picked();
  }

  /** @param {Picked | null} pick */
  #point(pick) {
    this.#picks[1] = pick;
    this.#tell.moved();
  }

  // ------------------------------------------------------------------------ words

  get position() {
    const { step, steps } = this.#state;
    return `backward, step ${steps.length - step} of ${this.last - steps.length + 1}`;
  }

  get sentence() {
    const isEnd = this.#state.step === this.#walk.blockedAt;
    return isEnd ? `The walk ends here: ${this.#step.reason}.` : backSentence(this.#step, this.#below, this.#look.role);
  }

  get hint() { return this.#isLoss ? SAY : SAME_SHAPES; }

  get aloud() {
    const what = this.#isLoss ? `Loss ${numberText(this.gradients.loss)}` : `${this.#which.textContent}: ${this.#result.textContent}`;
    return `${this.position}, ${this.#step.name}. ${what}.`;
  }

  get link() {
    const { role, at } = this.#look;
    return `${role}=${at};label=${this.#state.label}`;
  }

  /** @param {Wanted} wanted */
  follow(wanted) {
    const { step, label } = wanted;
    const role = /** @type {const} */ (["weight", "bias"]).find((own) => !Number.isNaN(wanted[own][0])) ?? "unit";
    this.#at = step;
    this.#picks = [{ role, at: wanted[role] }];
    if (label !== null && label < this.#state.meta.classes.length) this.#state.said = label;
  }

  // ------------------------------------------------------------------------ what is shown

  fit() {
    const { clientHeight, clientWidth } = this.#goesOn.room;
    const looks = this.#looks;
    const layer = looks.slice(0, -1);
    for (const { role, title, maps } of this.#places) {
      maps.canvas.hidden = !looks.some((look) => look.role === role);
      title.hidden = maps.canvas.hidden || !layer.length;
    }
    const numStrips = layer.filter(({ shape }) => shape.length === 1).length;
    const left = clientHeight - HIGH.title * (layer.length && looks.length) - HIGH.strip * numStrips;
    const high = Math.max(left / (looks.length - numStrips), HIGH.maps);
    for (const { maps, shape } of layer) maps.reshape(shape, 0, clientWidth, shape.length === 1 ? HIGH.strip : high);
    this.#goesOn.fit(this.#step.inputs[0], high);
    this.#arrives.fit(this.#state.step);
  }

  /** @param {Theme} theme */
  show(theme) {
    const { gradients } = this;
    const { step, engine } = this.#state;
    const look = this.#look;
    const index = flatIndex(look.at, look.shape);
    const terms = this.#isLoss || step === this.#walk.blockedAt ? null : termsOf(engine, this.#walk, this.#probe, step, look);
    const result = terms ? look.gradients[index] : gradients.loss;
    this.#showArriving(terms && boxAround(terms), theme);
    for (const own of this.#looks) this.#showGoingOn(own, own.role === look.role ? look.at : undefined, theme);
    const which = look.name ? weightText(look) : `${this.#below.name}, ${unitText(look.at)}`;
    setText(this.#name, this.#isLoss ? "the loss" : this.#step.name);
    setText(this.#which, this.#isLoss ? "" : which);
    setText(this.#result, shortText(result));
    this.#result.title = `${result}`;
    const spot = look.name ? { name: look.name, index, letter: look.role[0] } : null;
    setText(this.#pytorch, this.#reference.compare(gradients, this.#key, spot));
    this.#descent.show(gradients, spot); // the rule has the room that this leaves
    setText(this.#line, terms ? this.#views.show(look, terms, result, theme) : this.#views.showLoss(gradients.shares));
  }

  /** What arrives: at the loss the shares, else gradients. @param {Box | null} box  of those that the explained one is made of @param {Theme} theme */
  #showArriving(box, theme) {
    const { step, label, engine } = this.#state;
    const { name, shape } = this.#step;
    const { maps, title } = this.#arrives;
    setText(title, this.#isLoss ? "the answer" : "gradient arrives");
    if (this.#isLoss) {
      const marks = { unit: [label], label: "the shares; the right one is framed" };
      maps.draw(engine.values[step], this.#state.scales.around0([1]), theme, marks);
      return this.#arrives.describe("shares p", sizeText(shape), "±1");
    }
    const values = this.values[step] ?? new Float32Array(engine.values[step].length);
    maps.draw(values, this.scaleOf(step), theme, { box, label: `∂loss/∂${name}` });
    this.#arrives.describe(`∂loss/∂${name}`, sizeText(shape), rangeText(values));
  }

  /** @param {Look} look @param {Unit | undefined} unit  the explained one @param {Theme} theme */
  #showGoingOn({ role, name, shape, gradients, maps, title }, unit, theme) {
    const what = `∂loss/∂${role === "unit" ? this.#below.name : IN_WORDS[role]}`;
    const which = unit && (name ? weightText({ role, at: unit }) : unitText(unit));
    const value = unit ? `. Unit: ${which}; value ${gradients[flatIndex(unit, shape)].toPrecision(6)}.` : "";
    maps.draw(gradients, this.#state.scales.around0(gradients), theme, { unit, label: what + value });
    const goesOn = this.#below.inputs.length ? "goes on to the step before" : "how the picture would make it worse";
    const frozen = this.#step.frozen?.includes(name) ? "; frozen" : "";
    setText(title, name ? `${what}, ${shape.join("×")}: one for each ${role}${frozen}` : `${what}: ${goesOn}`);
    if (!name) this.#goesOn.describe(what, sizeText(shape), rangeText(gradients));
  }
}

/** How far gradients reach. @param {Float32Array} values */
function rangeText(values) {
  return values.some(Boolean) ? `±${shortText(limitOf(values))}` : "all are 0";
}

/** The box that holds all units of terms; none for none. @param {GradientTerm[]} terms @returns {Box | null} */
function boxAround(terms) {
  const places = (/** @type {number} */ axis) => terms.map(({ unit }) => unit[axis]);
  return terms.length ? terms[0].unit.map((_, axis) => [Math.min(...places(axis)), Math.max(...places(axis)) + 1]) : null;
}

/** Name a weight or bias. @param {Picked} pick */
function weightText({ role, at: [first, second, row, column] }) {
  if (second === undefined) return `${role} ${first}`;
  return row === undefined ? `weight from ${second} to ${first}` : `filter ${first}, channel ${second}, row ${row}, column ${column}`;
}
