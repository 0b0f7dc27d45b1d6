// @ts-check
/** Where a stack goes wrong: the layer, what it needed and what came, as lenet/shapes/diagnosis.py. */
import { shapeText } from "../shared/text.js";
import { KINDS, settingsOf } from "./kinds.js";
import { namedShape } from "./rows.js";

/** @typedef {import("./layers.js").Misfit} Misfit */
/** @typedef {import("./layers.js").Pass} Pass */
/** @typedef {import("./layers.js").Step} Step */

/** @typedef {{ kind: Misfit["kind"] | "maps", what: string, step: Step, index: number, needed: number, came: number }} Problem */

/**
 * Find what the failed layer needed and what came, or the layer that took what it should not.
 *
 * @param {Pass} pass
 * @returns {Problem | null}
 */
export function diagnose({ steps, failed: step }) {
  if (!step?.misfit) return wrongMaps(steps);
  const { kind, needed = 0, came = 0 } = step.misfit;
  return { kind, what: inWords(step, step.misfit, steps.at(-1)), step, index: steps.length, needed, came };
}

/** @param {Step} step @param {Misfit} misfit @param {Step | undefined} before */
function inWords({ layer, inputShape }, { kind, needed = 0, came = 0, reason }, before) {
  const { fits } = KINDS[layer.type];
  const shape = shapeText(namedShape(inputShape));
  const origin = before ? `${before.layer.name} gives ${shape}` : `the images are ${shape}`;
  if (kind === "size") return `${layer.name} does not fit, because ${origin}. There, ${reason}`;
  if (kind === "axes") {
    const wanted = `(N, ${fits ? settingsOf(layer)[fits.setting] : "C"}, H, W)`;
    return `${layer.name} expects the shape ${wanted}, but ${before ? origin : `gets ${shapeText(inputShape)}`}`;
  }
  const noun = fits?.noun ?? "";
  return `${layer.name} expects ${plural(needed, noun)}, but ${origin}: ${plural(came, noun)}`;
}

/** @param {number} number @param {string} noun */
function plural(number, noun) {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

/**
 * The linear layer, behind all convolutions, that took maps whose width happens to be its number
 * of features.
 *
 * @param {Step[]} steps  of a whole pass
 * @returns {Problem | null}
 */
function wrongMaps(steps) {
  const output = steps.at(-1)?.outputShape ?? [];
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
  return Boolean(KINDS[layer.type].window);
}

/** Does a linear layer get the maps of a convolution or pooling? @param {Step} step @param {Step[]} before */
export function takesMaps({ layer, inputShape }, before) {
  if (KINDS[layer.type].formula !== "features" || inputShape.length !== 4) return false;
  const source = [...before].reverse().find((step) => !KINDS[step.layer.type].pointwise);
  return Boolean(source && hasWindows(source));
}
