// @ts-check
// Where a stack goes wrong: the layer, what it needed and what came, as lenet/shapes/diagnosis.py.

import { shapeText } from "../shared/text.js";
import { KINDS, settingsOf, windowsOf } from "./layers.js";
import { namedShape } from "./rows.js";
import { ShapeError, Spread } from "../shared/formulas.js";

/** @typedef {import("./layers.js").Layer} Layer */
/** @typedef {import("./layers.js").Pass} Pass */
/** @typedef {import("./layers.js").Step} Step */
/**
 * @typedef {object} Problem
 * @property {"axes" | "channels" | "features" | "size" | "maps" | "other"} kind
 * @property {string} what
 * @property {Step} step
 * @property {number} index of the step
 * @property {number} needed
 * @property {number} came
 */

/**
 * Find what the failed layer needed and what came, or the layer that took what it should not.
 * @param {Pass} pass
 * @returns {Problem | null}
 */
export function diagnose({ steps, failed: step }) {
  if (!step) return wrongMaps(steps);
  const { layer, inputShape } = step;
  const before = steps[steps.length - 1];
  const shape = shapeText(namedShape(inputShape));
  const origin = before ? `${before.layer.name} gives ${shape}` : `the images are ${shape}`;
  const mismatch = wrongAxes(step, before ? origin : `gets ${shapeText(inputShape)}`) ?? wrongWidth(step, origin) ?? wrongSize(step, origin) ??
    { kind: "other", what: `${layer.name} cannot work on ${shapeText(inputShape)}` };
  return /** @type {Problem} */ ({ needed: 0, came: 0, step, index: steps.length, ...mismatch });
}

/**
 * The linear layer, behind all convolutions, that took maps whose width happens to be its number
 * of features.
 * @param {Step[]} steps of a whole pass
 * @returns {Problem | null}
 */
function wrongMaps(steps) {
  const output = steps[steps.length - 1]?.outputShape ?? [];
  if (output.length < 3) return null;
  const last = steps.map(hasWindows).lastIndexOf(true);
  const index = steps.findIndex((step, at) => last >= 0 && at >= last && takesMaps(step, steps.slice(0, at)));
  if (index < 0) return null;
  const step = steps[index];
  const { layer, inputShape, outputShape } = step;
  const what = `${layer.name} gets maps, ${shapeText(namedShape(inputShape))}, and works on every row of ` +
    `${inputShape[3]} pixels by itself: it gives ${shapeText(namedShape(outputShape))} instead of one row per image`;
  return { kind: "maps", what, step, index, needed: 0, came: 0 };
}

/** @param {Step} step */
export function hasWindows({ layer }) {
  return Boolean(KINDS[layer.type].windows);
}

/**
 * Does a linear layer get the maps of a convolution or pooling?
 * @param {Step} step
 * @param {Step[]} before
 */
export function takesMaps({ layer, inputShape }, before) {
  if (layer.type !== "Linear" || inputShape.length !== 4) return false;
  const source = [...before].reverse().find((step) => !KINDS[step.layer.type].pointwise);
  return Boolean(source && hasWindows(source));
}

/**
 * @param {Step} step
 * @param {string} origin
 */
function wrongAxes({ layer, inputShape }, origin) {
  const { axes } = KINDS[layer.type];
  if (!axes || axes.includes(inputShape.length)) return null;
  const wanted = `(N, ${needOf(layer)?.size ?? "C"}, H, W)`;
  return { kind: "axes", what: `${layer.name} expects the shape ${wanted}, but ${origin}` };
}

/**
 * @param {Step} step
 * @param {string} origin
 */
function wrongWidth({ layer, inputShape }, origin) {
  const need = needOf(layer);
  const came = need && inputShape.at(need.axis);
  if (!need || came === undefined || came === need.size) return null;
  const { noun, size: needed } = need;
  const what = `${layer.name} expects ${plural(needed, noun)}, but ${origin}: ${plural(Number(came), noun)}`;
  return { kind: `${noun}s`, what, needed, came };
}

/**
 * @param {Step} step
 * @param {string} origin
 */
function wrongSize(step, origin) {
  try {
    for (const window of windowsOf(step) ?? []) if (window instanceof Spread) window.checkSize();
    return null;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const what = `${step.layer.name} does not fit, because ${origin}. There, ${error.message}`;
    return { kind: "size", what };
  }
}

/** @param {Layer} layer */
function needOf(layer) {
  return KINDS[layer.type].need?.(settingsOf(layer)) ?? null;
}

/**
 * @param {number} number
 * @param {string} noun
 */
function plural(number, noun) {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}
