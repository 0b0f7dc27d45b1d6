// @ts-check
/** What goes into an operation, and what comes out of it, as maps with frames on them. */
import { boxBelow, boxOf, clip, flatIndex, receptiveField } from "./explanation.js";
import { Maps } from "./maps.js";
import { unitText } from "./words.js";
import { element, setText } from "../shared/elements.js";
import { paintPicture } from "../shared/pictures.js";
import { numberText, shapeText } from "../shared/text.js";

const FIELD_SIDE = 84; // of the picture that shows what a unit sees
const LONGEST_LINE = 64; // of features that come of one channel
const NEVER_BELOW_ZERO = ["relu", "softmax", "sigmoid"];
const SAME_PLACE = ["relu", "identity", "tanh"];

/** Features in one line: after a flatten, a line is a channel. @param {Step[]} steps @param {number} step @returns {number} */
function perLine(steps, step) {
  const { kind, shape, inputs } = steps[step];
  if (shape.length !== 1 || !inputs.length) return 0;
  if (SAME_PLACE.includes(kind)) return perLine(steps, inputs[0]);
  const before = steps[inputs[0]].shape;
  const perChannel = kind === "reshape" && before.length === 3 ? before[1] * before[2] : 0;
  return perChannel > 1 && perChannel <= LONGEST_LINE ? perChannel : 0;
}

/** Maps under a heading, above the meaning of their colours. */
export class Panel {
  #range = element("span", {});
  ramp = element("span", { class: "lenet-ramp" });
  #name = element("b", {});
  #size = element("span", { class: "lenet-muted" });

  /** @param {State} state @param {"in" | "out"} place @param {Hands} hands @param {boolean} hasKeys @param {string} [title] */
  constructor(state, place, hands, hasKeys, title = place) {
    this.state = state;
    this.maps = new Maps(title, hands, hasKeys);
    this.title = element("span", {}, title);
    const heading = element("p", { class: "lenet-heading" }, this.title, " · ", this.#name, " ", this.#size);
    this.room = element("div", { class: "lenet-room" }, this.maps.canvas);
    this.foot = element("div", { class: "lenet-foot" }, element("span", { class: "lenet-legend" }, this.ramp, this.#range));
    this.node = element("section", { class: `lenet-panel lenet-panel-${place}`, "aria-label": title }, heading, this.room, this.foot);
  }

  /** @param {number} step @param {number} [height]  CSS pixels */
  fit(step, height = this.room.clientHeight) {
    const { steps } = this.state;
    this.maps.reshape(steps[step].shape, perLine(steps, step), this.room.clientWidth, height);
  }

  /** Say what is shown. @param {string} name @param {string} size @param {string} range  of the colours */
  describe(name, size, range) {
    setText(this.#name, name);
    setText(this.#size, size);
    setText(this.#range, range);
  }
}

/** The activations of a step. */
class ActivationPanel extends Panel {
  /** @param {number} step @param {Theme} theme @param {Marks} marks */
  draw(step, theme, marks) {
    const { name, shape, kind } = this.state.steps[step];
    const scale = this.state.scales.of(step);
    this.maps.draw(this.state.engine.values[step], scale, theme, marks);
    const isOneSided = NEVER_BELOW_ZERO.includes(kind);
    const [low, high] = scale.range(0).map((value) => numberText(value, 2));
    this.describe(name, sizeText(shape), isOneSided ? `0 to ${high}` : step ? `±${high}` : `${low} to ${high}`);
    this.ramp.className = `lenet-ramp${step === 0 ? " lenet-ramp-grey" : isOneSided ? " lenet-ramp-above" : ""}`;
  }
}

/** @param {number[]} shape */
export function sizeText(shape) {
  if (shape.length === 3) return shape[0] === 1 ? `${shape[1]}×${shape[2]}` : `${shape[0]} maps of ${shape[1]}×${shape[2]}`;
  return shape.length === 1 ? `${shape[0]} numbers` : shapeText(shape);
}

/** What goes in, and how much of the picture the unit sees. */
export class InPanel extends ActivationPanel {
  #field = element("canvas", { class: "lenet-field", role: "img" });
  #sees = element("span", { class: "lenet-muted" });

  /** @param {State} state @param {Hands} hands */
  constructor(state, hands) {
    super(state, "in", hands, false);
    this.foot.append(element("span", { class: "lenet-sees" }, this.#sees, this.#field));
  }

  /** The box of what a unit was computed from, in the input of its step. @param {Unit} unit @returns {Box | null} */
  boxOf(unit) {
    const { step, steps } = this.state;
    const { shape } = steps[steps[step].inputs[0]];
    const box = boxBelow(steps, step, boxOf(unit));
    return box.length === shape.length ? clip(box, shape) : null;
  }

  /** @param {Unit} unit @param {Theme} theme */
  show(unit, theme) {
    const { step, steps, path } = this.state;
    const [input] = steps[step].inputs;
    const label = `${steps[input].name}, what the unit is computed from is framed.`;
    this.draw(input, theme, { box: this.boxOf(unit), unit: path?.get(input), isOnPath: true, label });
    const field = input === 0 ? null : receptiveField(steps, step, unit);
    this.#field.hidden = field === null;
    setText(this.#sees, "");
    if (field) this.#showField(field, theme);
  }

  /** @param {Box} field @param {Theme} theme */
  #showField(field, theme) {
    const { steps, input: picture } = this.state;
    const [[top, bottom], [left, right]] = field.slice(-2);
    const size = `${bottom - top}×${right - left}`;
    setText(this.#sees, `sees ${size} pixels of the picture`);
    this.#field.setAttribute("aria-label", `The unit sees ${size} pixels, from row ${top}, column ${left}.`);
    const ends = picture.pixelRange.flat();
    paintPicture(this.#field, picture.values, steps[0].shape, FIELD_SIDE, [Math.min(...ends), Math.max(...ends)]);
    const context = /** @type {CanvasRenderingContext2D} */ (this.#field.getContext("2d"));
    const pixel = FIELD_SIDE / Math.max(...steps[0].shape.slice(-2));
    for (const [lineWidth, strokeStyle] of [[4, "#000"], [2, theme.window]]) {
      Object.assign(context, { lineWidth, strokeStyle });
      context.strokeRect(left * pixel + 1, top * pixel + 1, (right - left) * pixel - 2, (bottom - top) * pixel - 2);
    }
  }
}

/** What comes out. */
export class OutPanel extends ActivationPanel {
  #value = element("span", { class: "lenet-value" });

  /** @param {State} state @param {Hands} hands */
  constructor(state, hands) {
    super(state, "out", hands, true);
    this.foot.append(this.#value);
  }

  /** @param {Unit} unit @param {Theme} theme */
  show(unit, theme) {
    const { step, steps, engine, sweep, path } = this.state;
    const { name, shape } = steps[step];
    const value = engine.values[step][flatIndex(unit, shape)];
    setText(this.#value, `[${unit.join(", ")}]: ${numberText(value, 2)}`);
    const label = `${name}: ${shapeText(shape)}. Unit: ${unitText(unit)}; value ${numberText(value)}.`;
    const isOnPath = String(path?.get(step)) === String(unit);
    this.draw(step, theme, { unit, numKnown: sweep === null ? undefined : sweep + 1, isOnPath, label });
  }
}
