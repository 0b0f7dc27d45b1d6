// @ts-check
/** ForwardStepper: walk through a network's forward pass, one operation at a time. */
import { ArithmeticView, unitText } from "./arithmetic.js";
import { Code, Facts } from "./code.js";
import { need } from "./engine.js";
import { flatIndex, isUnit } from "./explanation.js";
import { InputPanel } from "./input/panel.js";
import { DRAWN } from "./input/picture.js";
import { Rail } from "./rail.js";
import { Scores } from "./scores.js";
import { Sight } from "./sight.js";
import { State } from "./state.js";
import { StepView } from "./view.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { announcer, button, element } from "../shared/elements.js";
import { numberText, shapeText } from "../shared/text.js";
import { Transport } from "../shared/transport.js";

/** @typedef {import("../shared/arrays.js").Model} Model */
/** @typedef {import("../shared/colours.js").Theme} Theme */
/** @typedef {import("./explanation.js").Unit} Unit */

const PLAY_MILLISECONDS = 1600;
const NARROW = 560; // CSS pixels; a widget below it is laid out for a phone

class Stepper {
  #state; #address; #input; #view; #rail; #scores; #code; #where; #arithmetic; #link; #transport; #sight;
  #stops;
  /** @type {Theme | undefined} */
  #theme;
  #aloud = announcer();
  #facts = new Facts();
  #position = element("span", { class: "lenet-position" });
  #width = 0;
  #drawing = 0;

  /** @param {Model} model @param {string} address  the name of links into this widget; "" for none */
  constructor(model, address) {
    this.#state = new State(model);
    this.#address = address;
    this.#input = new InputPanel(this.#state, {
      chosen: (sample) => (sample === this.#state.input.sample ? this.#showSample() : this.#state.choose({ sample })),
      drawn: () => this.#drawn(),
      lifted: () => this.#lifted(),
    });
    this.#view = new StepView(this.#state, (unit, step) => this.#pick(unit, step));
    this.#rail = new Rail(this.#state.steps, (step) => this.#view.perLine(step), (step) => this.#go(step));
    this.#scores = new Scores(this.#state);
    this.#code = new Code(this.#state.meta.listings);
    this.#where = element("div", { class: "lenet-where" }, this.#code.node, this.#facts.node);
    this.#arithmetic = new ArithmeticView(this.#state);
    this.#link = element("a", { class: "lenet-link", hidden: !address }, "link to this step");
    this.#transport = this.#makeTransport();
    this.root = this.#build();
    this.#sight = new Sight([this.#rail.node, this.#view.node, this.#arithmetic.node]);
    this.#stops = this.#listen(model);
  }

  #build() {
    const top = element("div", { class: "lenet-top" }, this.#input.node, this.#scores.node);
    const name = `Forward pass of ${this.#state.meta.model}`;
    return element(
      "div",
      { class: "lenet-widget lenet-stepper", role: "group", "aria-label": name },
      top,
      this.#rail.node,
      this.#transport.node,
      this.#where,
      this.#view.node,
      this.#arithmetic.node,
      this.#aloud.node,
    );
  }

  #makeTransport() {
    const walk = { at: () => this.#state.step, last: () => this.#state.steps.length - 1, milliseconds: () => PLAY_MILLISECONDS };
    const transport = new Transport({ ...walk, go: (step) => this.#go(step) }, { back: "← Previous", next: "Next →" });
    const reset = button("Reset", () => this.#reset());
    transport.next.classList.add("lenet-main");
    transport.node.append(this.#position, reset, this.#link);
    return transport;
  }

  /** @param {Model} model @returns {(() => void)[]} */
  #listen(model) {
    /** @type {[string, () => void][]} */
    const listeners = [
      ["change:step", () => this.#showStep()],
      ["change:picked", () => this.#showUnit()],
      ["change:sample", () => this.#showSample()],
    ];
    for (const [event, listener] of listeners) model.on(event, listener);
    const resized = new ResizeObserver(() => this.#showResized());
    resized.observe(this.root);
    const followLink = () => this.#followLink();
    addEventListener("hashchange", followLink);
    return [
      () => listeners.forEach(([event, listener]) => model.off(event, listener)),
      () => resized.disconnect(),
      () => this.#sight.stop(),
      () => cancelAnimationFrame(this.#drawing),
      () => removeEventListener("hashchange", followLink),
      () => this.#transport.stop(),
      this.#input.accept(this.root),
      watchTheme(() => this.#showAll()),
    ];
  }

  /** Begin, once the widget is in the page. */
  start() {
    this.#followLink();
    this.#showAll();
  }

  // ------------------------------------------------------------------------ what the reader does

  /** @param {number} step */
  #go(step) {
    const picked = this.#state.model.get("picked");
    const isSameShape = String(this.#state.steps[step].shape) === String(this.#state.steps[this.#state.step].shape);
    this.#state.choose({ step, picked: isSameShape ? picked : [] });
  }

  /** @param {Unit} unit @param {number} [step] */
  #pick(unit, step = this.#state.step) {
    this.#state.choose({ step, picked: unit });
  }

  #reset() {
    this.#transport.stop();
    const [step, sample] = this.#state.first;
    this.#state.input.strokes = [];
    this.#arithmetic.channel = null;
    this.#state.choose({ step, sample, picked: [] });
  }

  /** Links end in "#name:step=3" or "#name:step=3;unit=0,5,7". */
  #followLink() {
    const [name, rest = ""] = decoded(location.hash.slice(1)).split(":");
    if (!this.#address || name !== this.#address) return;
    const wanted = Object.fromEntries(rest.split(";").map((part) => part.split("=")));
    const step = Number(wanted.step);
    if (!(step >= 0 && step < this.#state.steps.length)) return;
    const unit = (wanted.unit || "none").split(",").map(Number);
    this.#state.choose({ step, picked: isUnit(unit, this.#state.steps[step].shape) ? unit : [] });
  }

  // ------------------------------------------------------------------------ what is shown

  #showResized() {
    if (this.root.clientWidth !== this.#width) this.#showAll();
  }

  /** Fit into the width there is. On a phone, what changes with the pen stands close to the pad. */
  #layOut() {
    this.#width = this.root.clientWidth;
    const isNarrow = this.#width < NARROW;
    this.root.classList.toggle("lenet-narrow", isNarrow);
    if (isNarrow) this.#view.node.after(this.#where);
    else this.#transport.node.after(this.#where);
    this.#input.layOut(isNarrow ? 284 : 400, 360);
    this.#rail.layOut(isNarrow);
  }

  #showAll() {
    this.#layOut();
    this.#theme = readTheme(this.root);
    this.#input.useTheme(this.#theme);
    this.#view.useTheme(this.#theme);
    this.#showSample();
  }

  #showSample() {
    this.#state.compute();
    this.#showActivations();
    this.#showStep();
  }

  /** The drawing has changed: show it when the browser draws anyway. */
  #drawn() {
    if (this.#state.input.sample !== DRAWN) this.#state.choose({ sample: DRAWN });
    else if (!this.#drawing) this.#drawing = requestAnimationFrame(() => this.#followPen());
  }

  /** Show the drawing and what comes of it, where the reader can see it. */
  #followPen() {
    this.#drawing = 0;
    this.#state.compute();
    this.#input.show();
    this.#scores.show();
    const { step, unit } = this.#state;
    if (this.#sight.sees(this.#rail.node)) this.#drawRail();
    if (this.#sight.sees(this.#view.node)) this.#view.draw(unit);
    if (this.#sight.sees(this.#arithmetic.node)) this.#arithmetic.show(step, unit, need(this.#theme));
  }

  /** A stroke is finished: catch up with it everywhere, and say what came of it. */
  #lifted() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
    this.#state.compute();
    this.#showActivations();
    this.#showUnit();
    this.#aloud.say(this.#scores.inWords());
  }

  #showActivations() {
    this.#input.show();
    this.#scores.show();
    this.#drawRail();
  }

  #drawRail() {
    this.#rail.draw(this.#state.engine.values, (step) => this.#view.scaleOf(step));
  }

  #showStep() {
    if (!this.#theme) return;
    const { step, steps } = this.#state;
    this.#arithmetic.channel = null;
    this.#transport.show();
    this.#position.textContent = `step ${step} of ${steps.length - 1}`;
    this.#rail.mark(step);
    this.#code.show(steps[step]);
    this.#facts.show(steps[step]);
    this.#showUnit();
  }

  #showUnit() {
    if (!this.#theme) return;
    const { step, steps, unit, engine } = this.#state;
    this.#view.layOut(this.#width - 2, this.#width < NARROW);
    this.#view.draw(unit);
    this.#arithmetic.show(step, unit, this.#theme);
    this.#link.href = `#${this.#address}:step=${step};unit=${unit}`;
    const value = engine.values[step][flatIndex(unit, steps[step].shape)];
    const shape = shapeText(["N", ...steps[step].shape]);
    this.#aloud.say(`Step ${step}, ${steps[step].name}, shape ${shape}. ${unitText(unit)}: ${numberText(value)}.`);
  }

  /** End everything that the widget has begun. */
  stop() {
    for (const stop of this.#stops) stop();
  }
}

/** Read what some programs write of a link, %3D for "=". @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a page may be opened with any text behind the #
  }
}

/** @param {{ model: Model, el: HTMLElement }} context */
export function render({ model, el }) {
  const stepper = new Stepper(model, el.id);
  el.append(stepper.root);
  stepper.start();
  return () => stepper.stop();
}

export default { render };
