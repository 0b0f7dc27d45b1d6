// @ts-check
/** What goes into an operation, and what comes out of it, as maps with frames on them. */
import { unitText } from "./words.js";
import { boxBelow, clip, flatIndex, isUnit, receptiveField, unitAt } from "./explanation.js";
import { Maps, greyPalette, limitOf, signedPalette } from "./maps.js";
import { element, setText } from "../shared/elements.js";
import { paintPicture } from "../shared/pictures.js";
import { numberText, shapeText } from "../shared/text.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./maps.js").Scale} Scale */
/** @typedef {import("./maps.js").Hands} Hands */
/** @typedef {import("./explanation.js").Unit} Unit */
/** @typedef {import("./explanation.js").Box} Box */
/** @typedef {import("../shared/colours.js").Theme} Theme */

const FIELD_SIDE = 84; // of the picture that shows what a unit sees
const NEVER_BELOW_ZERO = ["relu", "softmax", "sigmoid"];
const SAME_PLACE = ["relu", "identity", "tanh"];

/** How the numbers of each step become colours. */
export class Scales {
  #state;
  #greys = greyPalette();
  #signed = new Uint32Array(1);

  /** @param {State} state */
  constructor(state) {
    this.#state = state;
  }

  /** @param {Theme} theme */
  useTheme(theme) {
    this.#signed = signedPalette(theme);
  }

  /** @param {number} step @returns {Scale} */
  of(step) {
    if (step === 0) {
      const ranges = /** @type {[number, number][]} */ (this.#state.input.pixelRange);
      return { palette: this.#greys, range: (channel) => ranges[channel] ?? ranges[0] ?? [0, 1] };
    }
    const limit = limitOf(this.#state.engine.values[step]);
    return { palette: this.#signed, range: () => [-limit, limit] };
  }
}

/** Features in one line: after a flatten, a line is a channel. @param {import("./state.js").Step[]} steps @param {number} step @returns {number} */
export function perLine(steps, step) {
  const { kind, shape, inputs } = steps[step];
  if (shape.length !== 1 || !inputs.length) return 0;
  const before = steps[inputs[0]].shape;
  if (kind === "reshape" && before.length === 3) {
    const perChannel = before[1] * before[2];
    return perChannel > 1 && perChannel <= 64 ? perChannel : 0;
  }
  return SAME_PLACE.includes(kind) ? perLine(steps, inputs[0]) : 0;
}

/** Maps under a heading, above the meaning of their colours. */
class Panel {
  #state; #scales; #range; #ramp;
  #name = element("b", {});
  #size = element("span", { class: "lenet-muted" });

  /** @param {State} state @param {Scales} scales @param {string} name @param {Hands} hands @param {boolean} hasKeys */
  constructor(state, scales, name, hands, hasKeys) {
    this.#state = state;
    this.#scales = scales;
    this.maps = new Maps(name, hands, hasKeys);
    this.#ramp = element("span", { class: "lenet-ramp" });
    this.#range = element("span", {});
    const heading = element("p", { class: "lenet-heading" }, `${name} · `, this.#name, " ", this.#size);
    this.room = element("div", { class: "lenet-room" }, this.maps.canvas);
    this.foot = element("div", { class: "lenet-foot" }, element("span", { class: "lenet-legend" }, this.#ramp, this.#range));
    this.node = element("section", { class: `lenet-panel lenet-panel-${name}`, "aria-label": name }, heading, this.room, this.foot);
  }

  /** @param {number} step */
  fit(step) {
    const { steps } = this.#state;
    this.maps.reshape(steps[step].shape, perLine(steps, step), this.room.clientWidth, this.room.clientHeight);
  }

  /** @param {number} step @param {Theme} theme @param {Parameters<Maps["draw"]>[3]} marks */
  draw(step, theme, marks) {
    const { name, shape, kind } = this.#state.steps[step];
    const scale = this.#scales.of(step);
    this.maps.draw(this.#state.engine.values[step], scale, theme, marks);
    setText(this.#name, name);
    setText(this.#size, sizeText(shape));
    const [low, high] = scale.range(0);
    const isOneSided = NEVER_BELOW_ZERO.includes(kind);
    const both = step ? `±${numberText(high, 2)}` : `${numberText(low, 2)} to ${numberText(high, 2)}`;
    setText(this.#range, isOneSided ? `0 to ${numberText(high, 2)}` : both);
    this.#ramp.className = `lenet-ramp${step === 0 ? " lenet-ramp-grey" : isOneSided ? " lenet-ramp-above" : ""}`;
  }
}

/** @param {number[]} shape */
function sizeText(shape) {
  if (shape.length === 3) return shape[0] === 1 ? `${shape[1]}×${shape[2]}` : `${shape[0]} maps of ${shape[1]}×${shape[2]}`;
  return shape.length === 1 ? `${shape[0]} numbers` : shapeText(shape);
}

/** What goes in, and how much of the picture the unit sees. */
export class InPanel extends Panel {
  #state;
  #field = element("canvas", { class: "lenet-field", role: "img" });
  #sees = element("span", { class: "lenet-muted" });

  /** @param {State} state @param {Scales} scales @param {Hands} hands */
  constructor(state, scales, hands) {
    super(state, scales, "in", hands, false);
    this.#state = state;
    this.foot.append(element("span", { class: "lenet-sees" }, this.#sees, this.#field));
  }

  /** The box of what a unit was computed from, in the input of its step. @param {Unit} unit @returns {Box | null} */
  boxOf(unit) {
    const { step, steps } = this.#state;
    const shape = steps[steps[step].inputs[0]].shape;
    const box = boxBelow(steps, step, unit.map((place) => [place, place + 1]));
    return box.length === shape.length ? clip(box, shape) : null;
  }

  /** @param {Unit} unit @param {Theme} theme */
  show(unit, theme) {
    const { step, steps, path } = this.#state;
    const input = steps[step].inputs[0];
    const label = `${steps[input].name}, what the unit is computed from is framed.`;
    this.draw(input, theme, { box: this.boxOf(unit), unit: path?.get(input), isOnPath: true, label });
    this.#showField(unit, input, theme);
  }

  /** @param {Unit} unit @param {number} input @param {Theme} theme */
  #showField(unit, input, theme) {
    const { step, steps, input: picture } = this.#state;
    const field = input === 0 ? null : receptiveField(steps, step, unit);
    this.#field.hidden = field === null;
    setText(this.#sees, "");
    if (!field) return;
    const [rows, columns] = field.slice(-2);
    const size = `${rows[1] - rows[0]}×${columns[1] - columns[0]}`;
    setText(this.#sees, `sees ${size} pixels of the picture`);
    this.#field.setAttribute("aria-label", `The unit sees ${size} pixels, from row ${rows[0]}, column ${columns[0]}.`);
    paintPicture(this.#field, picture.values, steps[0].shape, FIELD_SIDE, spread(/** @type {[number, number][]} */ (picture.pixelRange)));
    const context = /** @type {CanvasRenderingContext2D} */ (this.#field.getContext("2d"));
    const pixel = FIELD_SIDE / Math.max(...steps[0].shape.slice(-2));
    for (const [width, colour] of /** @type {[number, string][]} */ ([[4, "#000"], [2, theme.window]])) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.strokeRect(columns[0] * pixel + 1, rows[0] * pixel + 1, (columns[1] - columns[0]) * pixel - 2, (rows[1] - rows[0]) * pixel - 2);
    }
  }
}

/** @param {[number, number][]} ranges @returns {[number, number]} */
function spread(ranges) {
  return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
}

/**
 * The unit of a step whose window lies around a unit of its input; null where there is none.
 *
 * @param {import("./state.js").Step[]} steps @param {number} step @param {Unit} below
 * @param {Unit} now  a unit of the step, whose channel is kept
 * @returns {Unit | null}
 */
export function unitOver(steps, step, below, now) {
  const { kind, shape, inputs, kernel, stride, padding, dilation } = steps[step];
  const size = steps[inputs[0]].shape;
  if (kind === "reshape") return unitAt(flatIndex(below, size), shape);
  if (String(shape) === String(size) && isUnit(below, shape) && !["conv", "linear", "softmax", "logSoftmax", "recorded"].includes(kind)) return below;
  if (shape.length !== 3 || size.length !== 3) return null;
  const place = [1, 2].map((axis) => {
    const middle = kernel && stride && padding && dilation
      ? (below[axis] + padding[axis - 1] - (dilation[axis - 1] * (kernel[axis - 1] - 1)) / 2) / stride[axis - 1]
      : (below[axis] * shape[axis]) / size[axis];
    return Math.min(Math.max(kind === "conv" ? Math.round(middle) : Math.floor(middle + 0.5), 0), shape[axis] - 1);
  });
  return [kind === "conv" ? now[0] : below[0], ...place];
}

/** What comes out. */
export class OutPanel extends Panel {
  #state;
  #value = element("span", { class: "lenet-value" });

  /** @param {State} state @param {Scales} scales @param {Hands} hands */
  constructor(state, scales, hands) {
    super(state, scales, "out", hands, true);
    this.#state = state;
    this.foot.append(this.#value);
  }

  /** @param {Unit} unit @param {Theme} theme */
  show(unit, theme) {
    const { step, steps, engine, sweep, path } = this.#state;
    const { name, shape } = steps[step];
    const exact = engine.values[step][flatIndex(unit, shape)];
    const value = numberText(exact);
    setText(this.#value, `[${unit.join(", ")}]: ${numberText(exact, 2)}`);
    const label = `${name}: ${shapeText(shape)}. Unit: ${unitText(unit)}; value ${value}.`;
    const isOnPath = String(path?.get(step)) === String(unit);
    this.draw(step, theme, { unit, numKnown: sweep === null ? undefined : sweep + 1, isOnPath, label });
  }
}
