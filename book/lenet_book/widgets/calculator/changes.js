// @ts-check
/** Candidates for a fix: one thing done differently in a layer or the images, as lenet/shapes/changes.py. */
import { productOf } from "../shared/numbers.js";
import { shapeText } from "../shared/text.js";
import { takesMaps } from "./diagnosis.js";
import { KINDS, freshName, layerCode, pair, settingText, settingsOf } from "./kinds.js";
import { BATCH } from "./layers.js";

const USUAL_SIZES = [64, 96, 128, 224, 256, 299];

/** A stack with changes made to it. @param {Stack} stack @param {Change[]} changes @returns {Stack} */
export function applyChanges({ layers, imageShape }, changes) {
  for (const change of changes) {
    imageShape = change.imageShape ?? imageShape;
    layers = layers.flatMap((layer) => (layer.name === change.layer ? changed(layer, change, layers) : [layer]));
  }
  return { layers, imageShape };
}

/** @param {Layer} layer @param {Change} change @param {Layer[]} layers @returns {Layer[]} */
function changed(layer, change, layers) {
  if (!change.flattens) return [{ ...layer, settings: { ...settingsOf(layer), ...change.settings } }];
  return [{ name: freshName("flatten", layers), type: "Flatten", settings: {} }, layer];
}

/** Images as PyTorch wants them: channels first, or every image as one row. @param {number[]} shape @returns {Iterable<Change>} */
export function* layoutChanges(shape) {
  if (shape.length === 3) {
    const [height, width, channels] = shape;
    const reason = "the channels come last, and PyTorch wants them first, (N, C, H, W)";
    yield imagesChange("images.permute(0, 3, 1, 2)", [channels, height, width], reason);
  }
  if (shape.length > 1) {
    const reason = "a linear layer wants every image as one row";
    yield imagesChange("images.flatten(start_dim=1)", [productOf(shape)], reason);
  }
}

/** Grey images as colour images, and the other way round. @param {number[]} shape @returns {Iterable<Change>} */
export function* colourChanges([channels, ...pixels]) {
  if (pixels.length !== 2) return;
  if (channels === 1) yield imagesChange("images.expand(-1, 3, -1, -1)", [3, ...pixels]);
  if (channels === 3) yield imagesChange("images.mean(dim=1, keepdim=True)", [1, ...pixels]);
}

/** Images of other sizes, the nearest first. @param {number[]} shape @returns {Iterable<Change>} */
export function* sizeChanges([channels, ...pixels]) {
  if (pixels.length !== 2) return;
  const smallest = 1 - Math.min(...pixels);
  const nearest = Array.from({ length: 41 - smallest }, (_, index) => smallest + index)
    .sort((a, b) => Math.abs(a) - Math.abs(b) || b - a);
  const usual = USUAL_SIZES.map((size) => size - pixels[0]);
  for (const difference of [...nearest.slice(1), ...usual]) {
    const sizes = pixels.map((number) => number + difference);
    if (Math.min(...sizes) < 1) continue;
    const reason = `the input is ${pixels.join("×")}`;
    yield { text: `a ${sizes.join("×")} input`, code: "", reason, imageShape: [channels, ...sizes] };
  }
}

/** Other values for a setting of a layer with windows, the nearest first. @param {Layer} layer @param {string} setting @returns {Iterable<Change>} */
export function* settingChanges(layer, setting) {
  const current = settingsOf(layer)[setting];
  if (typeof current === "string") return;
  const now = Math.max(...pair(current));
  const keepsSize = Math.floor(Math.max(...pair(settingsOf(layer).kernel_size)) / 2);
  const values = [0, 1, 2, 3, 4, 5, 6, 7, 8]
    .sort((a, b) => Math.abs(a - now) - Math.abs(b - now) || a - b);
  if (setting === "padding") values.unshift(keepsSize);
  const smallest = setting === "kernel_size" ? 1 : 0; // a kernel of one pixel is no fix
  const has = setting === "padding" && now === 0 ? "no padding" : `${setting}=${settingText(current)}`;
  for (const value of values) {
    const sensible = setting === "padding" ? value <= 2 * keepsSize : value > smallest;
    if (value !== now && sensible) yield settingChange(layer, { [setting]: value }, `${layer.name} has ${has}`);
  }
}

/** Flatten the maps in front of a linear layer. @param {LayerStep} step @param {LayerStep[]} before @returns {Iterable<Change>} */
export function* flattenChanges(step, before) {
  const { name } = step.layer;
  if (!takesMaps(step, before)) return;
  const reason = `nothing flattens the maps before ${name}, which takes only the last axis of what it gets for its features`;
  yield { text: `nn.Flatten() before ${name}`, code: "", reason, layer: name, flattens: true, leadsOn: true };
}

/** Make the failing layer fit what came. @param {Problem} problem @returns {Iterable<Change>} */
export function* ownChanges({ kind, step: { layer }, came }) {
  const { fits } = KINDS[layer.type];
  if (fits && kind === `${fits.noun}s`) yield { ...settingChange(layer, { [fits.setting]: came }), leadsOn: true };
}

/** Make an earlier layer give as many channels or features as are needed. @param {Problem} problem @param {LayerStep[]} steps @returns {Iterable<Change>} */
export function* widthChanges({ needed, came }, steps) {
  const wide = widestBefore(steps);
  if (!needed || !wide || (wide.width * needed) % came) return;
  yield { ...settingChange(wide.layer, { [wide.setting]: (wide.width * needed) / came }), leadsOn: true };
}

/**
 * Is what came a product, of channels and pixels, and no layer's own width? Another width then
 * fits by luck, if at all.
 *
 * @param {Problem} problem @param {LayerStep[]} steps
 */
export function isProduct({ needed, came }, steps) {
  const wide = widestBefore(steps);
  return Boolean(wide && needed && wide.width !== came);
}

/** The layer that decided how many channels or features the last step gets, and by which setting. @param {LayerStep[]} steps */
function widestBefore(steps) {
  const layer = steps.slice(0, -1).findLast((step) => KINDS[step.layer.type].width)?.layer;
  const setting = layer && KINDS[layer.type].width;
  return setting ? { layer, setting, width: settingsOf(layer)[setting] } : null;
}

/** @param {Layer} layer @param {Settings} settings @param {string} reason @returns {Change} */
function settingChange(layer, settings, reason = "") {
  const changed = Object.entries(settings).map(([name, value]) => `${name}=${settingText(value)}`);
  const attribute = layer.name.split(".").map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`));
  const code = layerCode({ type: layer.type, settings: { ...settingsOf(layer), ...settings } });
  const text = `${changed.join(", ")} in ${layer.name}`;
  return { text, code: `self${attribute.join("")} = nn.${code}`, reason, layer: layer.name, settings };
}

/** @param {string} code @param {number[]} imageShape @param {string} reason @returns {Change} */
function imagesChange(code, imageShape, reason = "") {
  const text = `${code}, of shape ${shapeText([BATCH, ...imageShape])}`;
  return { text, code: `images = ${code}`, reason, imageShape };
}
