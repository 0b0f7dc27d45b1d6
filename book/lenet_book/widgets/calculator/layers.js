// @ts-check
// A stack of layers run on shapes alone: what lenet.shapes.trace finds by running the network.
// Shapes are [2, C, H, W]: as there, two images go through, and N stands for the 2.

import {
  ShapeError, alongAxes, checkNumber, convWindow, convWindows, poolWindows, pythonText,
  transposedSpreads,
} from "../shared/formulas.js";
import { SlidingWindow } from "../shared/windows.js";

/** @typedef {import("../shared/formulas.js").Size} Size */
/** @typedef {import("../shared/formulas.js").SizeOrName} SizeOrName */
/** @typedef {import("../shared/formulas.js").WindowOrSpread} WindowOrSpread */

/** @typedef {number | number[] | string | boolean | null} Setting */
/** @typedef {Record<string, Setting>} Settings */
/** @typedef {{name: string, type: string, settings: Settings}} Layer */
/**
 * @typedef {object} Step one layer that ran, or (without an output) was tried
 * @property {Layer} layer
 * @property {number[]} inputShape
 * @property {number[]} outputShape empty when it failed
 */
/** @typedef {{steps: Step[], failed: Step | null, error: string}} Pass */
/** @typedef {{noun: string, axis: number, size: number}} Need */
/**
 * @typedef {object} Kind what there is to know about a type of layer
 * @property {Settings} defaults settings in the order of the constructor; null must be given,
 *   except a pooling's stride, which is the kernel size
 * @property {string} stem how layers of this type are called
 * @property {(settings: Settings, shape: number[]) => number[]} run the shape that comes out
 * @property {(settings: Settings, shape: number[]) => WindowOrSpread[]} [windows]
 * @property {(settings: Settings) => Need} [need] what the weights fit
 * @property {number[]} [axes] how many axes the input may have
 * @property {(settings: Settings) => number} [weights] weights used for each output
 * @property {(settings: Settings, step: Step) => number} [macs] where it is not that many for each output
 * @property {(settings: Settings) => number} [parameters]
 * @property {boolean} [pointwise] every unit depends on the units at its own place only
 */

export const BATCH = 2;

/** How the settings are called that are numbers of channels or features, given without a name. */
export const IS_WIDTH = /^(in|out|num)_(channels|features)$/;

/** What PyTorch says when a layer cannot run. */
class TorchError extends Error {}

const MAPS = [4, 3]; // with and without a batch

/** @type {Record<string, Kind>} */
export const KINDS = {
  Conv2d: {
    defaults: {
      in_channels: null, out_channels: null, kernel_size: null, stride: 1, padding: 0, dilation: 1,
      bias: true,
    },
    stem: "conv",
    run: runConv,
    axes: MAPS,
    windows: convWindowsOf,
    need: (s) => ({ noun: "channel", axis: -3, size: count(s.in_channels) }),
    weights: (s) => count(s.in_channels) * product(pair(s.kernel_size)),
    parameters: (s) => biased(s, count(s.in_channels) * product(pair(s.kernel_size)), count(s.out_channels)),
  },
  ConvTranspose2d: {
    defaults: {
      in_channels: null, out_channels: null, kernel_size: null, stride: 1, padding: 0, output_padding: 0,
      bias: true, dilation: 1,
    },
    stem: "up",
    run: runTransposed,
    axes: MAPS,
    windows: spreadsOf,
    need: (s) => ({ noun: "channel", axis: -3, size: count(s.in_channels) }),
    macs: (s, { inputShape }) => product(inputShape) * count(s.out_channels) * product(pair(s.kernel_size)),
    parameters: (s) =>
      count(s.in_channels) * count(s.out_channels) * product(pair(s.kernel_size)) + (s.bias ? count(s.out_channels) : 0),
  },
  MaxPool2d: {
    defaults: { kernel_size: null, stride: null, padding: 0, dilation: 1, ceil_mode: false },
    stem: "pool",
    run: runMaxPool,
    axes: MAPS,
    windows: poolWindowsOf,
  },
  AvgPool2d: {
    defaults: { kernel_size: null, stride: null, padding: 0, ceil_mode: false },
    stem: "pool",
    run: runAvgPool,
    axes: MAPS,
    windows: poolWindowsOf,
  },
  ReLU: { defaults: {}, stem: "relu", run: (_, shape) => shape, pointwise: true },
  Flatten: {
    defaults: {}, stem: "flatten", run: (_, shape) => [shape[0], product(shape.slice(1))],
  },
  Linear: {
    defaults: { in_features: null, out_features: null, bias: true },
    stem: "fc",
    run: runLinear,
    need: (s) => ({ noun: "feature", axis: -1, size: count(s.in_features) }),
    weights: (s) => count(s.in_features),
    parameters: (s) => biased(s, count(s.in_features), count(s.out_features)),
  },
  BatchNorm2d: {
    defaults: { num_features: null },
    stem: "bn",
    run: runBatchNorm,
    axes: [4],
    need: (s) => ({ noun: "channel", axis: 1, size: count(s.num_features) }),
    parameters: (s) => 2 * count(s.num_features),
    pointwise: true,
  },
  Dropout: { defaults: { p: 0.5 }, stem: "dropout", run: (_, shape) => shape, pointwise: true },
};

// ---------------------------------------------------------------- settings

/** @param {Setting} setting */
export function count(setting) {
  return /** @type {number} */ (setting);
}

/** @param {Setting} setting */
function size(setting) {
  return /** @type {Size} */ (setting);
}

/** @param {Setting} setting */
function sizeOrName(setting) {
  return /** @type {SizeOrName} */ (setting);
}

/**
 * Height and width of a setting.
 * @param {Setting} setting
 * @returns {number[]}
 */
export function pair(setting) {
  return Array.isArray(setting) ? setting : [count(setting), count(setting)];
}

/** @param {number[]} numbers */
export function product(numbers) {
  return numbers.reduce((result, number) => result * number, 1);
}

/**
 * All settings of a layer: those given, and the defaults of the rest. A pooling's stride is its
 * kernel size from the moment the layer is made.
 * @param {Layer} layer
 * @returns {Settings}
 */
export function settingsOf(layer) {
  let all = KNOWN_SETTINGS.get(layer);
  if (!all) {
    all = { ...KINDS[layer.type].defaults, ...layer.settings };
    if ("stride" in all) all.stride ??= all.kernel_size;
    KNOWN_SETTINGS.set(layer, all);
  }
  return all;
}

/** @type {WeakMap<Layer, Settings>} a search for fixes asks for the same ones thousands of times */
const KNOWN_SETTINGS = new WeakMap();

/**
 * Refuse settings with which no layer can be made.
 * @param {Layer} layer
 */
export function checkSettings(layer) {
  for (const [name, value] of Object.entries(settingsOf(layer))) {
    if (name === "p") checkProbability(value);
    else if (IS_WIDTH.test(name)) checkNumber(name, value);
  }
  const all = settingsOf(layer);
  if (!("kernel_size" in all)) return;
  const { kernel_size, stride, padding = 0, dilation = 1, output_padding = 0 } = all;
  const named = typeof padding === "string";
  if (named && layer.type !== "Conv2d") checkNumber("padding", padding);
  const sizes = { kernel_size, stride, padding: named ? 0 : padding, dilation, output_padding };
  const pairs = Object.entries(sizes).map(([name, value]) => [name, checkedPair(name, value)]);
  const axes = alongAxes(Object.fromEntries(pairs));
  if (named) axes.forEach(([kernel, step, , gap]) => convWindow([1, kernel, step, 0, gap], padding));
}

/**
 * @param {string} name
 * @param {Setting} value
 */
function checkedPair(name, value) {
  if (Array.isArray(value) && value.length !== 2) {
    throw new ShapeError(`${name} is ${pythonText(value)}: ${value.length} numbers for 2 axes`);
  }
  return pair(value);
}

/**
 * A name that no layer has yet.
 * @param {string} stem
 * @param {Layer[]} layers
 */
export function freshName(stem, layers) {
  const taken = new Set(layers.map((layer) => layer.name));
  if (stem === "flatten" && !taken.has(stem)) return stem;
  let number = 1;
  while (taken.has(`${stem}${number}`)) number += 1;
  return `${stem}${number}`;
}

/** @param {Setting} p */
function checkProbability(p) {
  if (typeof p !== "number" || !(p >= 0 && p <= 1)) {
    throw new ShapeError(`p is ${pythonText(p)}: it must be a number between 0 and 1`);
  }
}

/**
 * @param {Settings} settings
 * @param {number} inputs weights of each output
 * @param {number} outputs
 */
function biased(settings, inputs, outputs) {
  return outputs * (inputs + (settings.bias ? 1 : 0));
}

// ---------------------------------------------------------------- running on shapes

/**
 * @param {Settings} settings
 * @param {number[]} shape
 */
function convWindowsOf(settings, shape) {
  return convWindows(
    shape.slice(-2), size(settings.kernel_size), size(settings.stride), sizeOrName(settings.padding),
    size(settings.dilation));
}

/**
 * @param {Settings} settings
 * @param {number[]} shape
 */
function poolWindowsOf(settings, shape) {
  return poolWindows(
    shape.slice(-2), size(settings.kernel_size), size(settings.stride), size(settings.padding),
    size(settings.dilation ?? 1), Boolean(settings.ceil_mode));
}

/**
 * @param {Settings} settings
 * @param {number[]} shape
 */
function spreadsOf(settings, shape) {
  return transposedSpreads(
    shape.slice(-2), size(settings.kernel_size), size(settings.stride), size(settings.padding),
    size(settings.output_padding), size(settings.dilation));
}

/**
 * The shape that windows make; what PyTorch says when they do not fit.
 * @param {() => WindowOrSpread[]} windows
 * @param {string} refusal
 */
function sizesOf(windows, refusal) {
  try {
    return windows().map((window) => window.outputSize);
  } catch (error) {
    throw error instanceof ShapeError ? new TorchError(refusal) : error;
  }
}

/**
 * @param {string} operation
 * @param {number[]} shape
 */
function checkMaps(operation, shape) {
  if (shape.length === 4) return;
  throw new TorchError(
    `Expected 3D (unbatched) or 4D (batched) input to ${operation}, but got input of size: [${shape.join(", ")}]`);
}

/** @type {Kind["run"]} */
function runTransposed(settings, shape) {
  checkMaps("conv_transpose2d", shape);
  const { in_channels: needed, out_channels: channels } = settings;
  const kernel = pair(settings.kernel_size);
  if (shape[1] !== needed) {
    throw new TorchError(
      `Given transposed=1, weight of size [${[needed, channels, ...kernel].join(", ")}], expected ` +
      `input[${shape.join(", ")}] to have ${needed} channels, but got ${shape[1]} channels instead`);
  }
  const refusal = transposedRefusal(settings);
  if (refusal) throw new TorchError(refusal);
  const sizes = spreadsOf(settings, shape).map((spread) => spread.outputSize);
  if (Math.min(...sizes) < 0) {
    throw new TorchError(
      `Given input size per channel: (${shape.slice(2).join(" x ")}). Calculated output size per channel: ` +
      `(${sizes.join(" x ")}). Output size is too small`);
  }
  return [shape[0], count(channels), ...sizes];
}

/**
 * What PyTorch says of output padding that is too large; empty when it is not.
 * @param {Settings} settings
 */
function transposedRefusal(settings) {
  const [extra, stride, dilation] = ["output_padding", "stride", "dilation"].map((name) => pair(settings[name]));
  if (extra.every((pixels, axis) => pixels < Math.max(stride[axis], dilation[axis]))) return "";
  const named = Object.entries({ output_padding: extra, stride, dilation })
    .flatMap(([name, [height, width]]) => [`${name}_height: ${height}`, `${name}_width: ${width}`]);
  return `output padding must be smaller than either stride or dilation, but got ${named.join(" ")}`;
}

/** @type {Kind["run"]} */
function runConv(settings, shape) {
  checkMaps("conv2d", shape);
  const kernel = pair(settings.kernel_size);
  const { in_channels: needed, out_channels: channels } = settings;
  if (shape[1] !== needed) {
    throw new TorchError(
      `Given groups=1, weight of size [${[channels, needed, ...kernel].join(", ")}], expected ` +
      `input[${levelled(settings, shape).join(", ")}] to have ${needed} channels, but got ${shape[1]} channels instead`);
  }
  const padding = typeof settings.padding === "string" ? [0, 0] : pair(settings.padding);
  const padded = shape.slice(2).map((pixels, axis) => pixels + 2 * padding[axis]);
  const spans = kernel.map((weights, axis) => pair(settings.dilation)[axis] * (weights - 1) + 1);
  const refusal =
    `Calculated padded input size per channel: (${padded.join(" x ")}). Kernel size: ` +
    `(${spans.join(" x ")}). Kernel size can't be greater than actual input size`;
  return [shape[0], count(channels), ...sizesOf(() => convWindowsOf(settings, shape), refusal)];
}

/**
 * The input as PyTorch convolves it: where padding='same' adds an odd number of pixels, the one
 * pixel by which the ends differ is added beforehand.
 * @param {Settings} settings
 * @param {number[]} shape
 */
function levelled(settings, shape) {
  if (settings.padding !== "same") return shape;
  const kernel = pair(settings.kernel_size);
  const odd = pair(settings.dilation).map((gap, axis) => (gap * (kernel[axis] - 1)) % 2);
  return shape.map((pixels, axis) => (axis < 2 ? pixels : pixels + odd[axis - 2]));
}

/** @type {Kind["run"]} */
function runMaxPool(settings, shape) {
  if (shape.length !== 4) {
    throw new TorchError("non-empty 3D or 4D (batch mode) tensor expected for input");
  }
  return runPool(settings, shape);
}

/** @type {Kind["run"]} */
function runAvgPool(settings, shape) {
  if (shape.length !== 4) {
    throw new TorchError("Dimension out of range (expected to be in range of [-2, 1], but got -3)");
  }
  return runPool(settings, shape);
}

/** @type {Kind["run"]} */
function runPool(settings, shape) {
  const sizes = sizesOf(() => poolWindowsOf(settings, shape), poolRefusal(settings, shape));
  return [shape[0], shape[1], ...sizes];
}

/**
 * What PyTorch says of pooling that does not fit.
 * @param {Settings} settings
 * @param {number[]} shape
 */
function poolRefusal(settings, shape) {
  const kernel = pair(settings.kernel_size);
  const padding = pair(settings.padding);
  const dilation = pair(settings.dilation ?? 1);
  for (const axis of [0, 1]) {
    const span = dilation[axis] * (kernel[axis] - 1) + 1;
    if (padding[axis] > Math.floor(span / 2)) {
      return "pad should be at most half of effective kernel size, but got " +
        `pad=${padding[axis]}, kernel_size=${kernel[axis]} and dilation=${dilation[axis]}`;
    }
  }
  if (padding.some((pad, axis) => pad > Math.floor(kernel[axis] / 2))) {
    return "pad should be smaller than or equal to half of kernel size, but got " +
      `padW = ${padding[1]}, padH = ${padding[0]}, kW = ${kernel[1]}, kH = ${kernel[0]}`;
  }
  const stride = pair(settings.stride);
  const sizes = shape.slice(2).map((pixels, axis) => new SlidingWindow(
    pixels, kernel[axis], stride[axis], 2 * padding[axis], dilation[axis],
    Boolean(settings.ceil_mode)).outputSize);
  const channels = shape[1];
  return `Given input size: (${[channels, ...shape.slice(2)].join("x")}). Calculated output size: ` +
    `(${[channels, ...sizes].join("x")}). Output size is too small`;
}

/** @type {Kind["run"]} */
function runLinear(settings, shape) {
  const features = shape[shape.length - 1];
  const { in_features: needed, out_features: given } = settings;
  if (features !== needed) {
    throw new TorchError(
      "mat1 and mat2 shapes cannot be multiplied " +
      `(${product(shape.slice(0, -1))}x${features} and ${needed}x${given})`);
  }
  return [...shape.slice(0, -1), count(given)];
}

/** @type {Kind["run"]} */
function runBatchNorm(settings, shape) {
  if (shape.length !== 4) throw new TorchError(`expected 4D input (got ${shape.length}D input)`);
  if (shape[1] !== settings.num_features) {
    throw new TorchError(
      `running_mean should contain ${shape[1]} elements not ${settings.num_features}`);
  }
  return shape;
}

/**
 * Run a stack on the shape of one image, as far as it goes.
 * @param {Layer[]} layers whose settings are possible
 * @param {number[]} imageShape without the batch axis
 * @returns {Pass}
 */
export function runStack(layers, imageShape) {
  /** @type {Step[]} */
  const steps = [];
  let shape = [BATCH, ...imageShape];
  for (const layer of layers) {
    try {
      const outputShape = KINDS[layer.type].run(settingsOf(layer), shape);
      steps.push({ layer, inputShape: shape, outputShape });
      shape = outputShape;
    } catch (error) {
      if (!(error instanceof TorchError)) throw error;
      return { steps, failed: { layer, inputShape: shape, outputShape: [] }, error: error.message };
    }
  }
  return { steps, failed: null, error: "" };
}

/**
 * A layer's windows over its input; null for a layer that has none.
 * @param {Step} step
 */
export function windowsOf(step) {
  const { windows } = KINDS[step.layer.type];
  return windows ? windows(settingsOf(step.layer), step.inputShape) : null;
}

/**
 * Multiply-accumulates of the whole batch, without bias.
 * @param {Step} step
 */
export function numMacs(step) {
  const { weights, macs } = KINDS[step.layer.type];
  const settings = settingsOf(step.layer);
  return macs ? macs(settings, step) : product(step.outputShape) * (weights?.(settings) ?? 0);
}

/**
 * @param {Layer} layer
 */
export function numParameters(layer) {
  return KINDS[layer.type].parameters?.(settingsOf(layer)) ?? 0;
}
