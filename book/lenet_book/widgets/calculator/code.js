// @ts-check
/** A stack as text: the PyTorch code that makes it, and settings as they are typed. */
import { pythonText } from "../shared/formulas.js";
import { shapeText } from "../shared/text.js";
import { layerCode, settingsOf } from "./kinds.js";
import { BATCH } from "./layers.js";
import { namedShape } from "./rows.js";

/** @typedef {import("./kinds.js").Layer} Layer */
/** @typedef {import("./kinds.js").Setting} Setting */
/** @typedef {import("./layers.js").Pass} Pass */

const PLAIN_NAME = /^[A-Za-z_][\w.]*$/; // others could break out of a comment

/**
 * Write the code of a stack: a network, and a call that shows what comes out.
 *
 * @param {Layer[]} layers @param {number[]} imageShape @param {Pass} pass
 */
export function networkCode(layers, imageShape, pass) {
  const lines = layers.map((layer, index) => {
    const step = pass.steps[index];
    const name = PLAIN_NAME.test(layer.name) ? `${layer.name}: ` : "";
    const misfit = pass.failed?.layer === layer ? "does not fit" : "not reached";
    const comment = `${name}${step ? shapeText(namedShape(step.outputShape)) : misfit}`;
    return `    nn.${layerCode(layer.type, settingsOf(layer))},  # ${comment}`;
  });
  const output = pass.failed ? "" : "  # " + `torch.Size([${lastShape(imageShape, pass).join(", ")}])`;
  return [
    "import torch", "from torch import nn", "",
    "network = nn.Sequential(", ...lines, ")",
    `images = torch.rand(${[BATCH, ...imageShape].join(", ")})`,
    `print(network(images).shape)${output}`, "",
  ].join("\n");
}

/** @param {number[]} imageShape @param {Pass} pass */
export function lastShape(imageShape, { steps }) {
  return steps.at(-1)?.outputShape ?? [BATCH, ...imageShape];
}

/** Read a setting: a number, one for each axis, a word, or what was typed instead. @param {string} text @returns {Setting} */
export function parseSetting(text) {
  const bare = text.trim().replace(/^[('"\s]+|[)'"\s]+$/g, "");
  if (bare === "") return "";
  const numbers = bare.split(/[\s,×x]+/).map(Number);
  if (numbers.some(Number.isNaN)) return bare;
  return numbers.length === 1 ? numbers[0] : numbers;
}

/** Write a setting as it can be typed. @param {Setting} setting */
export function typedText(setting) {
  if (setting === null) return "";
  if (typeof setting === "string") return setting;
  return Array.isArray(setting) ? setting.join(", ") : pythonText(setting);
}
