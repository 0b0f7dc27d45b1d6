// @ts-check
/** The walk back: the gradient that arrives at an operation, the rule, and what goes on; from the loss to the picture. */
import { Descent } from "./descent.js";
import { Backward, termsOf } from "./gradients.js";
import { Reference } from "./reference.js";
import { backSentence } from "./texts.js";
import { RulePanel } from "./views.js";
import { boxBelow, boxOf, clip, flatIndex, isUnit, unitAt } from "../explanation.js";
import { Maps, limitOf } from "../maps.js";
import { Panel, sizeText } from "../panels.js";
import { unitText } from "../words.js";
import { element, setText } from "../../shared/elements.js";
import { shortText } from "../../shared/text.js";

/** Where gradients that go on are shown: those of weights, of biases, and of what goes in. @typedef {{ role: Picked["role"], maps: Maps, title: HTMLElement }} Place */
/** The gradients there; those of weights and biases have a name. @typedef {Place & { name: string, shape: number[], gradients: Float32Array }} Look */

const SAY = "Say what the picture is: choose it here, or a bar of the answer.";
const SAME_SHAPES = "A gradient has the shape of its value: one number for each, and says how the loss moves when that number moves.";
const IN_WORDS = { weight: "weights", bias: "biases" };
const HIGH = { title: 24, strip: 44, maps: 72 }; // CSS pixels: over maps, for numbers in a few lines, and at least

export class WalkBack {
  tabs = ["arrives", "rule", "goes on"];
  /** What was picked, and what the pointer is over. @type {(Picked & { step: number } | null)[]} */
  #picks = [];
  #key = "";
  #state; #tell; #walk; #probe; #arrives; #goesOn; #places; #rule; #descent; #reference;
  #gradients = /** @type {Gradients | null} */ (null);
  #pytorch = element("p", { class: "lenet-muted lenet-pytorch" });

  /** @param {State} state @param {SideListener} tell */
  constructor(state, tell) {
    this.#state = state;
    this.#tell = tell;
    this.#walk = new Backward([state.engine]);
    this.#probe = new Backward([state.engine]);
    const hands = (/** @type {(unit: Unit) => Picked} */ as) => ({
      pick: (/** @type {Unit} */ unit) => this.#take(as(unit), true),
      point: (/** @type {Unit | null} */ unit) => this.#take(unit && as(unit), false),
    });
    this.#arrives = new Panel(state, "in", hands((unit) => this.#pickUnder(unit)), false, "gradient arrives");
    this.#goesOn = new Panel(state, "out", hands((at) => ({ role: "unit", at })), true, "gradient goes on");
    this.#places = /** @type {const} */ (["weight", "bias", "unit"]).map((role) => {
      const maps = role === "unit" ? this.#goesOn.maps : new Maps(`gradients of the ${IN_WORDS[role]}`, hands((at) => ({ role, at })), true);
      return { role, maps, title: element("p", { class: "lenet-muted lenet-over" }) };
    });
    this.#goesOn.room.replaceChildren(...this.#places.flatMap(({ title, maps }) => [title, maps.canvas]));
    this.#rule = new RulePanel(state, tell);
    this.#descent = new Descent(state, () => this.gradients, tell);
    this.#reference = new Reference(state, () => tell.moved());
    this.#rule.node.classList.add("lenet-rule");
    this.#rule.node.append(this.#pytorch, this.#descent.node);
    this.nodes = [this.#arrives.node, this.#rule.node, this.#goesOn.node];
  }

  stop() { this.#reference.stop(); }

  unteach() { this.#descent.forget(); }

  /** Of the present weights and picture, and what it is. @returns {Gradients} */
  get gradients() {
    const { label, runs } = this.#state;
    const key = `${runs} ${label}`;
    if (key !== this.#key || !this.#gradients) [this.#gradients] = this.#walk.run([label]);
    this.#key = key;
    return this.#gradients;
  }

  /** By step, what the row of steps shows. */
  get values() { return this.gradients.values; }

  /** The place where the walk ends: at the picture, or where an operation has no backward. */
  get last() { return 2 * this.#turn + 1 - (this.#walk.blockedAt ?? 1); }

  // ------------------------------------------------------------------------ what is looked at

  get #step() { return this.#state.steps[this.#state.step]; }

  /** The last step of the walk forward, at which the loss is computed. */
  get #turn() { return this.#state.steps.length - 1; }

  get #isLoss() { return this.#state.step === this.#turn; }

  get #below() { return this.#state.steps[this.#step.inputs[0]]; }

  /** The weights and biases of the step, as far as it has any, and what goes in. */
  get #looks() {
    const { weights, values } = this.gradients;
    const { arrays } = this.#state.engine;
    return this.#places.flatMap(/** @returns {Look[]} */ (place) => {
      if (place.role === "unit") return [{ ...place, name: "", shape: this.#below.shape, gradients: values[this.#step.inputs[0]] }];
      const name = this.#step[place.role] ?? "";
      return weights[name] ? [{ ...place, name, shape: arrays[name].shape, gradients: weights[name] }] : [];
    });
  }

  /** The number that is explained: under the pointer, picked, or else the strongest. @returns {Look & { at: Unit, index: number }} */
  get #look() {
    const looks = this.#looks;
    const found = this.#picks.flatMap((pick) => {
      const look = looks.find(({ role, shape }) => role === pick?.role && pick.step === this.#state.step && isUnit(pick.at, shape));
      return look && pick ? [{ ...look, at: pick.at, index: flatIndex(pick.at, look.shape) }] : [];
    });
    const [{ gradients, shape }] = looks;
    const index = gradients.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradients[best]) ? i : best), 0);
    return found.at(-1) ?? { ...looks[0], at: unitAt(index, shape), index };
  }

  /** What lies under a unit of what arrives: a weight of its filter, or the first number that it was computed from. @param {Unit} unit @returns {Picked} */
  #pickUnder(unit) {
    const { role, at, shape } = this.#look;
    if (role !== "unit") return { role, at: [unit[0], ...at.slice(1)] };
    return { role, at: clip(boxBelow(this.#state.steps, this.#state.step, boxOf(unit)), shape).map(([from]) => from) };
  }

  /** @param {Picked | null} pick @param {boolean} stays  when the pointer has left */
  #take(pick, stays) {
    const taken = pick && { ...pick, step: this.#state.step };
    this.#picks = stays ? [taken] : [this.#picks[0] ?? null, taken];
    this.#tell.moved();
    if (stays) this.#tell.picked();
  }

  // ------------------------------------------------------------------------ words

  get position() { return `backward, step ${this.#state.place - this.#turn} of ${this.last - this.#turn}`; }

  get sentence() { return backSentence(this.#step, this.#below, this.#look.role); }

  get hint() { return this.#isLoss ? SAY : SAME_SHAPES; }

  get aloud() {
    const { which, result } = this.#rule;
    return `${this.position}, ${this.#step.name}. ${which.textContent || "Loss"}: ${result.textContent}.`;
  }

  get link() {
    const { role, at } = this.#look;
    return `${role}=${at};label=${this.#state.label}`;
  }

  /** @param {Wanted} wanted */
  follow({ step, label, ...wanted }) {
    const role = /** @type {const} */ (["weight", "bias"]).find((own) => !Number.isNaN(wanted[own][0])) ?? "unit";
    this.#picks = [{ step, role, at: wanted[role] }];
    if (label !== null && label < this.#state.meta.classes.length) this.#state.said = label;
  }

  // ------------------------------------------------------------------------ what is shown

  fit() {
    const { clientHeight, clientWidth } = this.#goesOn.room;
    const looks = this.#looks;
    const layer = looks.slice(0, -1);
    for (const { role, title, maps } of this.#places) title.hidden = maps.canvas.hidden = !looks.some((look) => look.role === role);
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
    const terms = this.#isLoss || step === this.#walk.blockedAt ? null : termsOf(engine, this.#walk, this.#probe, step, look);
    const result = terms ? look.gradients[look.index] : gradients.loss;
    this.#showArriving(terms && boxAround(terms), theme);
    for (const own of this.#looks) this.#showGoingOn(own, own.role === look.role ? look.at : undefined, theme);
    setText(this.#pytorch, this.#reference.compare(gradients, look));
    this.#descent.show(gradients, look); // the rule has the room that this leaves
    const line = terms ? this.#rule.show(look, terms, result, theme) : this.#rule.showLoss(gradients.shares);
    const [name, which] = this.#isLoss ? ["the loss", ""] : [this.#step.name, `${look.name ? "" : `${this.#below.name}, `}${placeText(look)}`];
    this.#rule.describe(name, which, line, shortText(result), `${result}`);
  }

  /** What arrives: at the loss the shares, else gradients. @param {Box | null} box  of those that the explained one is made of @param {Theme} theme */
  #showArriving(box, theme) {
    const { step, label, engine, scales } = this.#state;
    const { name, shape } = this.#step;
    const { maps, title } = this.#arrives;
    const [what, gradients] = [`∂loss/∂${name}`, this.values[step]];
    setText(title, this.#isLoss ? "the answer" : "gradient arrives");
    this.#arrives.describe(this.#isLoss ? "shares p" : what, sizeText(shape), this.#isLoss ? "±1" : rangeText(gradients));
    if (!this.#isLoss) return maps.draw(gradients, scales.around0(gradients), theme, { box, label: what });
    maps.draw(engine.values[step], scales.around0([1]), theme, { unit: [label], label: "the shares; the right one is framed" });
  }

  /** @param {Look} look @param {Unit | undefined} unit  the explained one @param {Theme} theme */
  #showGoingOn({ role, name, shape, gradients, maps, title }, unit, theme) {
    const what = `∂loss/∂${role === "unit" ? this.#below.name : IN_WORDS[role]}`;
    const value = unit ? `. Unit: ${placeText({ role, at: unit })}; value ${gradients[flatIndex(unit, shape)].toPrecision(6)}.` : "";
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

/** Name a weight, a bias, or a unit. @param {Picked} pick */
function placeText({ role, at }) {
  if (role === "unit") return unitText(at);
  if (at.length === 4) return `filter ${at[0]}, ${unitText(at.slice(1))}`;
  return at.length === 1 ? `${role} ${at}` : `weight from ${at[1]} to ${at[0]}`;
}
