// @ts-check
/** Candidates for a fix: one thing done differently in a layer or the images, as lenet/shapes/changes.py. */
import { productOf } from "../shared/numbers.js";
import { shapeText } from "../shared/text.js";
import { hasWindows, sourcesOf, takesMaps, titleOf } from "./diagnosis.js";
import { KINDS, freshName, kindOf, pair, settingText, settingsOf } from "./kinds.js";
import { BATCH } from "./layers.js";
import { namedShape } from "./rows.js";

export const USUAL_SIZES = [28, 32, 64, 96, 128, 224, 256, 299];
const USUAL_CHANNELS = [1, 3, 4];

/** By the number of channels: how pictures get another one, and which. @type {Record<number, [string, number]>} */
const COLOURS = { 1: [".expand(-1, 3, -1, -1)", 3], 3: [".mean(dim=1, keepdim=True)", 1], 4: ["[:, :3]", 3] };

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
  const { flattens, instead: type = layer.type, settings } = change;
  if (!flattens) return [{ ...layer, type, settings: { ...settingsOf(layer), ...settings } }];
  return [{ name: freshName("flatten", layers), type: "Flatten", settings: {} }, layer];
}

/** Images as PyTorch wants them: channels first, or every image as one row. @param {number[]} shape @param {LayerStep[]} steps @returns {Iterable<Change>} */
export function* layoutChanges(shape, steps) {
  const first = firstTaker(steps);
  const { input_dims: dims, fits } = kindOf(first ?? { type: "" });
  const [height, width, channels] = shape;
  const usual = [...USUAL_CHANNELS, first && fits && settingsOf(first)[fits.setting]];
  if (dims.length && shape.length === 3 && !usual.includes(height) && usual.includes(channels)) {
    const reason = "the channels come last, and PyTorch wants them first, (N, C, H, W)";
    const [code, turned] = ["images.permute(0, 3, 1, 2)", [channels, height, width]];
    yield { ...imagesChange(code, turned, reason), isTurned: true };
    yield imagesChange(`${code}.contiguous()`, turned, reason); // the numbers lie as they did, which a later view does not take
    yield* coloured(code, turned, reason);
  }
  for (const change of rowChanges(shape, steps)) yield { ...change, leadsOn: false };
}

/** Images as rows, where a linear layer comes first; it may have to take more features. @param {number[]} shape @param {LayerStep[]} steps @returns {Iterable<Change>} */
export function* rowChanges(shape, steps) {
  if (firstTaker(steps)?.type !== "Linear" || shape.length < 2) return;
  const reason = "a linear layer wants every image as one row";
  yield { ...imagesChange("images.flatten(start_dim=1)", [productOf(shape)], reason), leadsOn: true };
}

/** The first layer that does not take images of any shape. @param {LayerStep[]} steps */
function firstTaker(steps) {
  return steps.find(({ layer }) => kindOf(layer).axes || kindOf(layer).fits || !kindOf(layer).pointwise)?.layer;
}

/** Grey images as colour images, and the other way round; transparent ones as either. @param {number[]} shape @returns {Iterable<Change>} */
export function* colourChanges(shape) {
  yield* coloured("images", shape);
  if (shape[0] === 4) yield* coloured("images[:, :3]", [3, ...shape.slice(1)]);
}

/** @param {string} code @param {number[]} shape @param {string} [reason] @returns {Iterable<Change>} */
function* coloured(code, [channels, ...pixels], reason) {
  if (pixels.length !== 2 || !(channels in COLOURS)) return;
  const [suffix, made] = COLOURS[channels];
  yield imagesChange(code + suffix, [made, ...pixels], reason);
}

/** Images of other sizes: usual ones, those with `ratio` as many pixels, multiples of powers of two, then the nearest. @param {number[]} shape @param {number} ratio @returns {Iterable<Change>} */
export function* sizeChanges([channels, ...pixels], ratio) {
  if (pixels.length !== 2) return;
  const [height, width] = pixels;
  const smallest = Math.min(...pixels);
  const half = Math.floor(smallest / 2);
  const nearest = Array.from({ length: half + 101 }, (_, index) => index - half).sort((a, b) => Math.abs(a) - Math.abs(b) || b - a);
  const usual = USUAL_SIZES.filter((size) => height === width && 2 * size >= smallest);
  const scaled = pixels.map((size) => Math.round(size * ratio ** 0.5));
  const sizes = [
    ...usual.sort((a, b) => Math.abs(a - height) - Math.abs(b - height) || b - a).map((size) => [size, size]),
    ...(ratio === 1 ? [] : nearest.slice(0, 5).map((by) => scaled.map((size) => size + by))),
    ...[4, 8, 16, 32].map((multiple) => pixels.map((size) => Math.ceil(size / multiple) * multiple)),
    ...nearest.map((by) => [height + by, width + by]),
    ...(height === width ? [] : nearest.map((by) => [height, width + by])),
  ];
  const reason = `the input is ${pixels.join("×")}`;
  for (const size of sizes.filter((size) => Math.min(...size) > 0 && String(size) !== String(pixels))) {
    yield { text: `a ${size.join("×")} input`, reason, imageShape: [channels, ...size] };
  }
}

/** Other values for a setting of a layer with windows, the nearest first. @param {Layer} layer @param {string} setting @returns {Iterable<Change>} */
export function* settingChanges(layer, setting) {
  const { [setting]: current, kernel_size, stride } = settingsOf(layer);
  if (![current, setting === "output_size" ? 1 : kernel_size].flat().every(Number.isInteger)) return;
  const now = Math.max(...pair(current));
  const kernel = Math.max(...pair(kernel_size));
  const keepsSize = Math.floor(kernel / 2);
  const [isPool, isPadding] = [kindOf(layer).window === "pool", setting === "padding"];
  if (isPadding && !isPool && pair(current).every((size) => size === keepsSize)) return;
  /** @type {Record<string, number[]>} */
  const limits = { padding: [0, isPool ? 0 : keepsSize], output_padding: [1, Math.max(...pair(stride)) - 1], kernel_size: [2, 8] };
  const [smallest, largest] = limits[setting] ?? [1, 8];
  const isSensible = (/** @type {number} */ value) => value >= smallest && (setting !== "kernel_size" || isPool || value % 2 === 1);
  const values = Array.from({ length: largest + 1 }, (_, value) => value).filter((value) => value !== now && isSensible(value));
  const nearest = values.sort((a, b) => Math.abs(a - now) - Math.abs(b - now) || a - b);
  const has = isPadding && now === 0 ? "no padding" : `${setting}=${settingText(current)}`;
  const usual = isPadding ? keepsSize : setting === "stride" ? kernel : now;
  for (const value of values.includes(usual) ? [usual, ...nearest] : nearest) {
    yield settingChange(layer, { [setting]: value }, `${titleOf({ layer })} has ${has}`);
  }
}

/** Layers and calls for the number of axes that come: MaxPool1d for MaxPool2d. @param {LayerStep[]} steps @returns {Iterable<Change>} */
export function* axesChanges(steps) {
  for (const step of steps) {
    const { layer, inputShape: shape } = step;
    const now = layer.line ? layer.name : layer.type; // a function has a line
    const instead = now.replace(/(?<=[a-zA-Z])[123]d$/, `${Math.max(shape.length - 2, 1)}d`);
    const isRow = shape.length < 3 && kindOf(layer).window; // over which nothing slides
    if (instead === now || shape[0] !== BATCH || isRow || !(layer.line || KINDS[instead])) continue;
    const reason = `${now} is for other axes than those of ${shapeText(namedShape(shape))}`;
    const text = `${instead} instead of ${now}${layer.line ? "" : ` in ${titleOf(step)}`}`;
    yield { text, reason, layer: layer.name, of: layer, instead, leadsOn: true };
  }
}

/** Flatten the maps in front of a linear layer. @param {LayerStep} step @param {LayerStep[]} before @returns {Iterable<Change>} */
export function* flattenChanges(step, before) {
  if (!takesMaps(step, before)) return;
  const title = titleOf(step);
  const reason = `nothing flattens the maps before ${title}, which takes only the last axis of what it gets for its features`;
  yield { text: `nn.Flatten() before ${title}`, reason, layer: step.layer.name, of: step.layer, flattens: true, leadsOn: true };
}

/** Make the failing layer fit what came. @param {Problem} problem @returns {Iterable<Change>} */
export function* ownChanges({ kind, step: { layer }, came }) {
  const { fits } = kindOf(layer);
  if (fits && kind === `${fits.noun}s`) yield { ...settingChange(layer, { [fits.setting]: came }), leadsOn: true };
}

/** Make an earlier layer give as many channels or features as are needed. @param {Problem} problem @param {LayerStep[]} steps @returns {Iterable<Change>} */
export function* widthChanges({ needed, came }, steps) {
  const wide = widestBefore(steps);
  if (!needed || !wide || (wide.width * needed) % came) return;
  yield { ...settingChange(wide.layer, { [wide.setting]: (wide.width * needed) / came }), leadsOn: true };
}

/** Is what came a product, of channels and pixels, and no layer's own width? Another then fits by luck. @param {Problem} problem @param {LayerStep[]} steps */
export function isProduct({ needed, came }, steps) {
  const wide = widestBefore(steps);
  return Boolean(wide && needed && wide.width !== came);
}

/** Does the failing step get numbers that depend on the size of the maps? @param {Problem} problem @param {LayerStep[]} steps */
export function sizesMatter(problem, steps) {
  if (["axes", "channels", "order"].includes(problem.kind)) return false;
  const wide = widestBefore(steps);
  if (problem.kind !== "features" || !wide || isProduct(problem, steps)) return true;
  const isPooledAway = wide.path.some(({ layer }) => ["adaptive", "all"].includes(kindOf(layer).window));
  return hasWindows(wide) && !isPooledAway;
}

/** How many times as many pixels a layer behind a flatten needs; 1 where that is not known. @param {Problem} problem @param {LayerStep[]} steps */
export function pixelRatio(problem, steps) {
  const wide = widestBefore(steps);
  return wide && isProduct(problem, steps) && problem.needed >= wide.width ? problem.needed / problem.came : 1;
}

/** The layer that decided how many channels or features the last step gets, by which setting, and the steps from there on. @param {LayerStep[]} steps */
function widestBefore(steps) {
  const source = sourcesOf(steps[steps.length - 1], steps.slice(0, -1)).find(({ layer }) => kindOf(layer).width);
  if (!source) return null;
  const { layer } = source;
  const setting = kindOf(layer).width;
  return { layer, setting, width: settingsOf(layer)[setting], path: steps.slice(steps.indexOf(source), -1) };
}

/** @param {Layer} layer @param {Settings} settings @param {string} reason @returns {Change} */
export function settingChange(layer, settings, reason = "") {
  const changed = Object.entries(settings).map(([name, value]) => `${name}=${settingText(value)}`);
  const line = layer.line ? ` (line ${layer.line})` : "";
  return { text: `${changed.join(", ")} in ${titleOf({ layer })}${line}`, reason, layer: layer.name, of: layer, settings };
}

/** @param {string} code @param {number[]} imageShape @param {string} reason @returns {Change} */
function imagesChange(code, imageShape, reason = "") {
  return { text: `${code}, of shape ${shapeText([BATCH, ...imageShape])}`, reason, imageShape };
}
