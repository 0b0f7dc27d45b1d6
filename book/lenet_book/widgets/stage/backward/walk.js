// @ts-check
/** The walk back: the gradient that arrives at an operation, the rule, and what goes on; from the loss to the picture. */
import { Descent } from "./descent.js";
import { shortText } from "./figures.js";
import { Backward } from "./gradients.js";
import { termsOf } from "./products.js";
import { backSentence } from "./sentences.js";
import { RuleViews } from "./views.js";
import { boxOf, flatIndex, isUnit, unitAt } from "../explanation.js";
import { Maps, limitOf, signedPalette, symmetricScale } from "../maps.js";
import { Panel, sizeText } from "../panels.js";
import { unitText } from "../words.js";
import { element, setText } from "../../shared/elements.js";
import { numberText, percentText } from "../../shared/text.js";

/** Where gradients that go on are shown: those of weights, of biases, and of what goes in. @typedef {{ role: Picked["role"], maps: Maps, title: HTMLElement }} Place */
/** The gradients there. @typedef {Place & { name: string, shape: number[], gradients: Float32Array }} Look */

const MANY_ZEROS = 0.2;
const SAME_SHAPES = "A gradient has the shape of its value: one number for each, and says how the loss moves when that number moves.";
const IN_WORDS = { weight: "weights", bias: "biases" };
const HIGH = { title: 24, strip: 44, maps: 72 }; // CSS pixels: over maps, for numbers in a few lines, and at least

export class WalkBack {
  tabs = ["arrives", "rule", "goes on"];
  /** @type {Picked | null} */
  #picked = null;
  /** @type {Picked | null} */
  #preview = null;
  #at = -1;
  #key = "";
  #state; #tell; #walk; #arrives; #goesOn; #places; #views; #descent; #gradients;
  #reference = /** @type {import("./reference.js").Reference | null} */ (null);
  /** Colours below and above zero. */
  #palette = new Uint32Array(1);
  #note = element("span", { class: "lenet-note lenet-muted" });
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
    this.#gradients = this.#walk.run(state.label);
    const hands = (/** @type {(unit: Unit) => Picked} */ as) => ({
      pick: (/** @type {Unit} */ unit) => this.#pick(as(unit)),
      point: (/** @type {Unit | null} */ unit) => this.#point(unit && as(unit)),
    });
    this.#arrives = new Panel(state, "in", hands((unit) => this.#pickUnder(unit)), false, "gradient arrives");
    this.#arrives.foot.append(this.#note);
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
    const { label, runs } = this.#state;
    const key = `${runs} ${label}`;
    if (key !== this.#key) this.#gradients = this.#walk.run(label);
    this.#key = key;
    return this.#gradients;
  }

  get values() {
    return this.gradients.values;
  }

  /** @param {number} step */
  scaleOf(step) {
    return symmetricScale(this.#palette, limitOf(this.values[step] ?? []));
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

  get #isBlocked() {
    return this.#state.step === this.gradients.blockedAt?.step;
  }

  /** The weights and biases of the step, as far as it has any, and what goes in. @returns {Look[]} */
  get #looks() {
    const { steps, engine } = this.#state;
    const [input] = this.#step.inputs;
    return this.#places.flatMap(/** @returns {Look[]} */ (place) => {
      if (place.role === "unit") return [{ ...place, name: "", shape: steps[input].shape, gradients: this.values[input] ?? new Float32Array(engine.values[input].length) }];
      const name = this.#step[place.role] ?? "";
      const gradients = this.gradients.weights[name];
      return gradients ? [{ ...place, name, shape: engine.arrays[name].shape, gradients }] : [];
    });
  }

  /** Where the number stands that is explained: the picked one, or else the strongest. */
  get #look() {
    const { step } = this.#state;
    if (step !== this.#at) this.#picked = this.#preview = null;
    this.#at = step;
    const looks = this.#looks;
    for (const picked of [this.#preview, this.#picked]) {
      const look = looks.find(({ role, shape }) => role === picked?.role && isUnit(picked.at, shape));
      if (look && picked) return { ...look, at: picked.at };
    }
    const [{ gradients, shape }] = looks;
    const strongest = gradients.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradients[best]) ? i : best), 0);
    return { ...looks[0], at: unitAt(strongest, shape) };
  }

  /** What lies under a unit of what arrives: a weight of its filter, or the number in its place. @param {Unit} unit @returns {Picked} */
  #pickUnder(unit) {
    const { role, at, shape } = this.#look;
    if (role !== "unit") return { role, at: [unit[0], ...at.slice(1)] };
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
    if (this.#isBlocked) return `The walk ends here: ${this.gradients.blockedAt?.reason}.`;
    return backSentence(this.#step, this.#state.steps[this.#step.inputs[0]], this.#look.role);
  }

  get hint() {
    return this.#isLoss ? "Say what the picture is: choose it here, or a bar of the answer." : SAME_SHAPES;
  }

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
    this.#picked = { role, at: wanted[role] };
    if (label !== null && label < this.#state.meta.classes.length) this.#state.said = label;
  }

  // ------------------------------------------------------------------------ what is shown

  fit() {
    const { clientHeight, clientWidth } = this.#goesOn.room;
    const looks = this.#looks;
    const layer = looks.slice(0, -1);
    for (const { role, title, maps } of this.#places) {
      title.hidden = !layer.length;
      maps.canvas.hidden = !looks.some((look) => look.role === role);
    }
    const strips = layer.filter(({ shape }) => shape.length === 1);
    const titles = layer.length && looks.length;
    const left = clientHeight - HIGH.title * titles - HIGH.strip * strips.length;
    const high = Math.max(left / (looks.length - strips.length), HIGH.maps);
    for (const { maps, shape } of layer) maps.reshape(shape, 0, clientWidth, shape.length === 1 ? HIGH.strip : high);
    this.#goesOn.fit(this.#step.inputs[0], high);
    this.#arrives.fit(this.#state.step);
  }

  /** @param {Theme} theme */
  show(theme) {
    this.#palette = signedPalette(theme);
    const { step, steps, engine } = this.#state;
    const look = this.#look;
    const terms = this.#isLoss || this.#isBlocked ? null : termsOf(engine, this.#walk, step, look);
    this.#showArriving(terms && boxAround(terms), theme);
    for (const own of this.#looks) this.#showGoingOn(own, own.role === look.role ? look.at : undefined, theme);
    setText(this.#name, this.#isLoss ? "the loss" : this.#step.name);
    const which = look.name ? weightText(look) : `${steps[this.#step.inputs[0]].name}, ${unitText(look.at)}`;
    setText(this.#which, this.#isLoss ? "" : which);
    const index = flatIndex(look.at, look.shape);
    const spot = look.name ? { name: look.name, index, letter: look.role[0] } : null;
    setText(this.#pytorch, this.#reference?.compare(this.gradients, this.#key, spot) ?? "");
    this.#descent.show(this.gradients, spot); // the rule has the room that this leaves
    const result = terms ? look.gradients[index] : this.gradients.loss;
    setText(this.#line, terms ? this.#views.show(look, terms, result, theme) : this.#views.showLoss(this.gradients.shares));
    setText(this.#result, shortText(result));
    this.#result.title = `${result}`;
  }

  /** What arrives: at the loss the shares, else gradients. @param {Box | null} box  of those that the explained one is made of @param {Theme} theme */
  #showArriving(box, theme) {
    const { step, steps, label, engine } = this.#state;
    const { name, shape } = this.#step;
    const values = this.#isLoss ? engine.values[step] : this.values[step] ?? new Float32Array(engine.values[step].length);
    const title = this.#isLoss ? "shares p" : `∂loss/∂${name}`;
    const marks = this.#isLoss ? { unit: [label], label: "the shares; the right one is framed" } : { box, label: title };
    const scale = this.#isLoss ? symmetricScale(this.#palette, 1) : this.scaleOf(step);
    this.#arrives.maps.draw(values, scale, theme, marks);
    this.#arrives.describe(title, sizeText(shape), this.#isLoss ? "±1" : rangeText(values));
    setText(this.#arrives.title, this.#isLoss ? "the answer" : "gradient arrives");
    const share = values.filter((value) => value === 0).length / values.length;
    const isGated = steps.slice(step + 1).some(({ kind }) => ["relu", "maxPool"].includes(kind));
    const gates = "further on, relu and max-pool let a gradient through only where a number counted";
    setText(this.#note, isGated && share > MANY_ZEROS ? `${percentText(share, 0)} of them are 0: ${gates}.` : "");
  }

  /** @param {Look} look @param {Unit | undefined} unit  the explained one @param {Theme} theme */
  #showGoingOn({ role, name, shape, gradients, maps, title }, unit, theme) {
    const [input] = this.#step.inputs;
    const below = this.#state.steps[input].name;
    const what = `∂loss/∂${role === "unit" ? below : IN_WORDS[role]}`;
    const which = unit && (role === "unit" ? unitText(unit) : weightText({ role, at: unit }));
    const value = unit ? `. Unit: ${which}; value ${gradients[flatIndex(unit, shape)].toPrecision(6)}.` : "";
    maps.draw(gradients, symmetricScale(this.#palette, limitOf(gradients)), theme, { unit, label: what + value });
    const frozen = this.#step.frozen?.includes(name) ? "; frozen" : "";
    const goesOn = input ? "goes on to the step before" : "how the picture would make it worse";
    setText(title, role === "unit" ? `${what}: ${goesOn}` : `${what}, ${shape.join("×")}: one for each ${role}${frozen}`);
    if (role === "unit") this.#goesOn.describe(what, sizeText(shape), rangeText(gradients));
  }
}

/** How far gradients reach. @param {Float32Array} values */
function rangeText(values) {
  return values.some(Boolean) ? `±${shortText(limitOf(values))}` : "all are 0";
}

/** The box that holds all units of terms; none for none. @param {GradientTerm[]} terms @returns {Box | null} */
function boxAround(terms) {
  if (!terms.length) return null;
  return boxOf(terms[0].unit).map((_, axis) => {
    const places = terms.map(({ unit }) => unit[axis]);
    return [Math.min(...places), Math.max(...places) + 1];
  });
}

/** Name a weight or bias. @param {Picked} pick */
function weightText({ role, at: [first, second, row, column] }) {
  if (second === undefined) return `${role} ${first}`;
  return row === undefined ? `weight from ${second} to ${first}` : `filter ${first}, channel ${second}, row ${row}, column ${column}`;
}
