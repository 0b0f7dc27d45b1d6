// @ts-check
/** The picture of a step: what the unit sees of the input, what goes in, and what comes out. */
import { boxBelow, clip, flatIndex, isUnit, receptiveField, unitAt } from "./explanation.js";
import { unitText } from "./arithmetic.js";
import { Maps, greyPalette, limitOf, signedPalette } from "./maps.js";
import { element, setText } from "../shared/elements.js";
import { numberText, shapeText } from "../shared/text.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./maps.js").Scale} Scale */
/** @typedef {import("./explanation.js").Unit} Unit */
/** @typedef {import("../shared/colours.js").Theme} Theme */

const TALLEST = 330;
const FIELD_WIDTH = 150;

/** One picture with its title. */
class Panel {
  /** @param {string} name @param {(unit: Unit) => void} [onPick] */
  constructor(name, onPick) {
    this.title = element("figcaption", {});
    this.maps = new Maps({ onPick, label: name });
    this.node = element("figure", { class: `lenet-panel lenet-panel-${name}` }, this.title, this.maps.canvas);
  }
}

/** What the colours mean. */
class Legend {
  #low = element("span", {});
  #ramp = element("span", { class: "lenet-ramp", "aria-hidden": "true" });
  #high = element("span", {});
  #meaning = element("span", { class: "lenet-muted" });

  constructor() {
    this.node = element("p", { class: "lenet-legend lenet-mono" }, this.#low, this.#ramp, this.#high, this.#meaning);
  }

  /** @param {boolean} isPicture @param {[low: number, high: number]} range */
  show(isPicture, [low, high]) {
    setText(this.#low, numberText(low, 2));
    setText(this.#high, numberText(high, 2));
    setText(this.#meaning, isPicture ? "black to white" : "blue: below zero, red: above");
    this.#ramp.classList.toggle("lenet-ramp-grey", isPicture);
  }
}

export class StepView {
  #state; #below; #out; #panels;
  #field = new Panel("field");
  #legend = new Legend();
  #keys = element("p", { class: "lenet-muted lenet-keys" }, "Click a unit, or move with the arrow keys; Page Up and Page Down change the channel.");
  #laidOut = "";
  /** @type {Theme | undefined} */
  #theme;
  /** @type {Uint32Array | undefined} */
  #signed;
  #greys = greyPalette();

  /**
   * @param {State} state
   * @param {(unit: Unit, step?: number) => void} onPick
   */
  constructor(state, onPick) {
    this.#state = state;
    this.#below = new Panel("below", (unit) => this.#pickBelow(unit, onPick));
    this.#out = new Panel("out", onPick);
    this.#panels = element("div", { class: "lenet-panels" }, this.#field.node, this.#below.node, this.#out.node);
    this.node = element("div", { class: "lenet-view" }, this.#panels, this.#legend.node, this.#keys);
  }

  /** @param {Theme} theme */
  useTheme(theme) {
    this.#theme = theme;
    this.#signed = signedPalette(theme);
  }

  /** How a step's numbers become colours. @param {number} step @returns {Scale} */
  scaleOf(step) {
    if (step === 0) {
      const ranges = this.#state.input.pixelRange;
      return { palette: this.#greys, range: (channel) => /** @type {[number, number]} */ (ranges[channel] ?? ranges[0] ?? [0, 1]) };
    }
    const limit = limitOf(this.#state.engine.values[step]);
    return { palette: /** @type {Uint32Array} */ (this.#signed), range: () => [-limit, limit] };
  }

  /** Features in one line: after a flatten, a line is a channel. @param {number} step @returns {number} */
  perLine(step) {
    const { kind, shape, inputs } = this.#state.steps[step];
    if (shape.length !== 1 || !inputs.length) return 0;
    const before = this.#state.steps[inputs[0]].shape;
    if (kind === "reshape" && before.length === 3) {
      const perChannel = before[1] * before[2];
      return perChannel > 1 && perChannel <= 64 ? perChannel : 0;
    }
    return ["relu", "identity", "tanh"].includes(kind) ? this.perLine(inputs[0]) : 0;
  }

  /** A click on what goes in: after a flatten it picks the same number, else it leads there. @param {Unit} unit @param {(unit: Unit, step?: number) => void} onPick */
  #pickBelow(unit, onPick) {
    const step = this.#state.steps[this.#state.step];
    const below = this.#state.steps[step.inputs[0]];
    const sameNumber = unitAt(flatIndex(unit, below.shape), step.shape);
    if (step.kind === "reshape" && isUnit(sameNumber, step.shape)) onPick(sameNumber);
    else onPick(unit, step.inputs[0]);
  }

  /** Give every picture its room: one above the other, if it is narrow. @param {number} width  CSS pixels @param {boolean} isNarrow */
  layOut(width, isNarrow) {
    const { step, steps } = this.#state;
    const key = `${step} ${Math.round(width)}`;
    if (this.#laidOut === key) return;
    this.#laidOut = key;
    const input = steps[step].inputs[0];
    this.#below.node.hidden = step === 0;
    this.#field.node.hidden = step === 0 || input === 0 || receptiveField(steps, step, this.#state.unit) === null;
    const fieldWidth = this.#field.node.hidden || isNarrow ? 0 : FIELD_WIDTH + 20;
    const room = isNarrow ? width : (width - fieldWidth - (step === 0 ? 0 : 20)) / (step === 0 ? 1 : 2);
    this.#field.maps.reshape(steps[0].shape, 0, FIELD_WIDTH, FIELD_WIDTH * Math.max(1, steps[0].shape[0]));
    if (step > 0) this.#below.maps.reshape(steps[input].shape, this.perLine(input), room, TALLEST);
    this.#out.maps.reshape(steps[step].shape, this.perLine(step), room, TALLEST);
  }

  /** Draw the step with its unit. @param {Unit} unit */
  draw(unit) {
    const { step, steps, engine } = this.#state;
    const theme = /** @type {Theme} */ (this.#theme);
    const current = steps[step];
    const value = engine.values[step][flatIndex(unit, current.shape)];
    const outLabel = `${current.name}: ${shapeText(current.shape)}. Unit: ${unitText(unit)}; value ${numberText(value)}.`;
    setText(this.#out.title, step === 0 ? "the picture" : `comes out of ${current.name}: ${current.shape.join("×")}`);
    this.#out.maps.draw(engine.values[step], this.scaleOf(step), theme, { unit, label: outLabel });
    if (step > 0) this.#drawBelow(unit, theme);
    this.#legend.show(step === 0, this.scaleOf(step).range(0));
  }

  /** @param {Unit} unit @param {Theme} theme */
  #drawBelow(unit, theme) {
    const { step, steps, engine } = this.#state;
    const input = steps[step].inputs[0];
    const box = boxBelow(steps, step, unit.map((place) => [place, place + 1]));
    const seen = box.length === steps[input].shape.length ? clip(box, steps[input].shape) : null;
    setText(this.#below.title, `goes in: ${steps[input].name}, ${steps[input].shape.join("×")}`);
    const label = `${steps[input].name}, what the unit is computed from is framed.`;
    this.#below.maps.draw(engine.values[input], this.scaleOf(input), theme, { box: seen, label });
    const field = receptiveField(steps, step, unit);
    if (this.#field.node.hidden || !field) return;
    const [rows, columns] = field.slice(-2).map(([from, to]) => to - from);
    setText(this.#field.title, `sees ${rows}×${columns} pixels`);
    const fieldLabel = `The picture; the unit sees ${rows} by ${columns} pixels of it, from row ${field.at(-2)?.[0]}, column ${field.at(-1)?.[0]}.`;
    this.#field.maps.draw(engine.values[0], this.scaleOf(0), theme, { box: field, label: fieldLabel });
  }
}
