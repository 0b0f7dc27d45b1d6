// @ts-check
/**
 * What comes out of operations that the calculator's table does not compute: of functions and methods by their names,
 * of layers by their classes. A rule gives the shape, or the tensors, that its arguments and its inputs make.
 */
import { pair } from "../calculator/kinds.js";
import { pythonText } from "../shared/formulas.js";
import { productOf, sumOf } from "../shared/numbers.js";
import { Shaped, Stop, Unknown } from "./values.js";

/** An operation whose operands do not go together. */
export class Misfitting extends Stop {
  /** The operation. @type {CodeStep | null} */
  step = null;

  /** @param {Misfit} misfit */
  constructor(misfit) {
    super("shapes do not fit");
    this.misfit = misfit;
  }
}

/** Refuse an operation. @param {Misfit["kind"]} [kind] @param {Record<string, any>} [more] @returns {never} */
export function refuse(kind = "other", more = {}) {
  throw new Misfitting({ kind, ...more });
}

/** @param {string} what @returns {never} */
function unfollowed(what) {
  throw new Unknown(`${what} is not followed`);
}

/** The shape of tensors that meet number by number. @param {{ shape: number[] }[]} inputs @param {string} [needs] */
export function broadcast(inputs, needs = "the same sizes") {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const all = inputs.map(({ shape }) => shape[shape.length - rank + axis] ?? 1);
    const sizes = new Set(all.filter((size) => size !== 1));
    return sizes.size > 1 ? refuse("operands", { needs }) : [...sizes][0] ?? 1;
  });
}

/**
 * A tensor of a shape; where it is the input's, in the input's order.
 *
 * @param {number[]} shape @param {Shaped} input @param {boolean} isPointwise
 */
export function kept(shape, input, isPointwise) {
  const made = new Shaped(shape);
  if (input.isOrdered) return made;
  if (isPointwise && String(shape) === String(input.shape)) made.strides = input.strides;
  else if (shape.length > 2) made.strides = null;
  return made;
}

/** One number, or several. @param {any} value @returns {number[]} */
const listed = (value) => [value].flat();

/** An axis, from the front. @param {number} axis @param {number[]} shape @param {number} [more]  axes than it has */
export function axisOf(axis, shape, more = 0) {
  if (!Number.isInteger(axis)) throw new Unknown("which axis is meant is not known");
  const rank = shape.length + more;
  const found = axis < 0 ? axis + rank : axis;
  if (found >= 0 && found < rank) return found;
  return refuse("axes", { does: `works along axis ${axis}`, but: `: the last of its axes is ${shape.length - 1}` });
}

/** The axes that are named; all, where none is. @param {any} dim @param {number[]} shape */
function axesOf(dim, shape) {
  return new Set(dim === undefined || dim === null ? shape.keys() : listed(dim).map((axis) => axisOf(axis, shape)));
}

/** Sizes with what −1 stands for, if they make up the total. @param {number[]} sizes @param {number} total */
function resolved(sizes, total) {
  const whole = productOf(sizes.filter((size) => size !== -1));
  const shape = sizes.map((size) => (size === -1 ? total / whole : size));
  return shape.every(Number.isInteger) && productOf(shape) === total ? shape : null;
}

/** Can the numbers be seen in another shape where they lie? @param {Shaped} input @param {number[]} target */
function isViewable({ shape, strides }, target) {
  let [at, count, seen] = [target.length - 1, 1, 1];
  let base = strides?.at(-1) ?? 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    count *= shape[axis];
    if (axis > 0 && (shape[axis - 1] === 1 || strides?.[axis - 1] === count * base)) continue;
    while (at >= 0 && (seen < count || target[at] === 1)) seen *= target[at--];
    if (seen !== count) return false;
    if (axis > 0) [base, count, seen] = [/** @type {number[]} */ (strides)[axis - 1], 1, 1];
  }
  return at === -1;
}

/** @param {number} size @param {(number | null)[]} slice */
function slicedSize(size, [from, to, step]) {
  const bound = (/** @type {number} */ value) => Math.min(size, Math.max(0, value < 0 ? value + size : value));
  if (step !== null && step !== undefined && step < 1) unfollowed("a step backwards");
  return Math.max(0, Math.ceil((bound(to ?? size) - bound(from ?? 0)) / (step ?? 1)));
}

/** Numbers of a shape, and where they stood. @param {number[]} shape */
export function withIndices(shape) {
  const [values, indices] = [new Shaped(shape), new Shaped(shape)];
  return Object.assign([values, indices], { values, indices });
}

const PART = { bounds: [null, null, null] }; // all of an axis

/** @type {Record<string, Rule>} */
export const RULES = {
  reshape({ shape: sizes }, { shape }) {
    const all = listed(sizes);
    if (!all.every(Number.isInteger)) unfollowed("a size that is no whole number");
    const [needed, came] = [Math.max(productOf(all.slice(1)), 0), productOf(shape.slice(1))];
    return resolved(all, productOf(shape)) ?? refuse("view", { needed, came });
  },
  view(given, input, inputs) {
    const target = RULES.reshape(given, input, inputs);
    if (!input.strides) throw new Unknown("whether the numbers lie in order is not known");
    const does = "needs numbers that lie in memory in the order of the axes";
    return isViewable(input, target) ? target : refuse("order", { does, but: " in another order" });
  },
  view_as: (_given, input, [, { shape }]) => RULES.reshape({ shape }, input, []),
  flatten({ start_dim = 0, end_dim = -1 }, { shape }) {
    const [from, to] = [axisOf(start_dim, shape), axisOf(end_dim, shape)];
    return [...shape.slice(0, from), productOf(shape.slice(from, to + 1)), ...shape.slice(to + 1)];
  },
  Flatten: (given, input) => RULES.flatten({ start_dim: 1, ...given }, input, []),
  unflatten({ dim, sizes, unflattened_size: all = sizes }, { shape }) {
    const axis = axisOf(dim, shape);
    if (!all) unfollowed("this layer made in forward");
    const does = `makes ${pythonText(all)} of each image, ${productOf(listed(all))} numbers`;
    return shape.toSpliced(axis, 1, ...(resolved(listed(all), shape[axis]) ?? refuse("other", { does, but: "" })));
  },
  permute({ dims }, { shape, strides }) {
    const does = `puts ${listed(dims).length} axes in order`;
    if (listed(dims).length !== shape.length) refuse("axes", { does, but: `: ${shape.length} axes` });
    const order = listed(dims).map((axis) => axisOf(axis, shape));
    const made = new Shaped(order.map((axis) => shape[axis]));
    made.strides = strides && order.map((axis) => strides[axis]);
    return made;
  },
  transpose({ dim0, dim1, axis0 = dim0, axis1 = dim1 }, input) {
    const dims = [...input.shape.keys()];
    const [a, b] = [axisOf(axis0, dims), axisOf(axis1, dims)];
    return RULES.permute({ dims: dims.with(a, b).with(b, a) }, input, []);
  },
  T: (_given, input) => RULES.permute({ dims: [...input.shape.keys()].reverse() }, input, []),
  mT: (_given, input) => RULES.transpose({ dim0: -2, dim1: -1 }, input, []),
  t: (_given, input) => (input.shape.length === 2 ? RULES.permute({ dims: [1, 0] }, input, []) : refuse()),
  squeeze: ({ dim }, { shape }) => shape.filter((size, axis) => size !== 1 || !axesOf(dim, shape).has(axis)),
  unsqueeze: ({ dim }, { shape }) => shape.toSpliced(axisOf(dim, shape, 1), 0, 1),
  contiguous: (_given, { shape }) => shape,
  glu({ dim = -1 }, { shape }) {
    const axis = axisOf(dim, shape);
    return shape[axis] % 2 ? refuse() : shape.with(axis, shape[axis] / 2);
  },
  cat({ tensors, dim = 0 }, { shape }, inputs) {
    if (!Array.isArray(tensors)) unfollowed("what is no list of tensors");
    const axis = axisOf(dim, shape);
    const others = inputs.map((each) => (each.shape.length > axis ? String(each.shape.with(axis, 0)) : ""));
    if (new Set(others).size > 1) refuse("operands", { needs: `the same size on every axis but axis ${dim}` });
    return shape.with(axis, sumOf(inputs.map((each) => each.shape[axis])));
  },
  stack: ({ dim = 0 }, { shape }, inputs) => (inputs.every((each) => String(each.shape) === String(shape))
    ? shape.toSpliced(axisOf(dim, shape, 1), 0, inputs.length) : refuse("operands", { needs: "tensors of one shape" })),
  split({ split_size_or_sections: size, dim = 0 }, { shape }) {
    const axis = axisOf(dim, shape);
    const total = shape[axis];
    const starts = () => [...Array(Math.ceil(total / size)).keys()].map((index) => index * size);
    const sizes = Array.isArray(size) ? listed(size) : starts().map((start) => Math.min(size, total - start));
    return sumOf(sizes) === total ? sizes.map((each) => new Shaped(shape.with(axis, each))) : refuse();
  },
  chunk({ chunks, dim = 0 }, input) {
    const size = Math.ceil(input.shape[axisOf(dim, input.shape)] / chunks);
    return RULES.split({ split_size_or_sections: size, dim }, input, []);
  },
  unbind: ({ dim = 0 }, { shape }) =>
    Array.from({ length: shape[axisOf(dim, shape)] }, () => new Shaped(shape.toSpliced(axisOf(dim, shape), 1))),
  expand({ shape: sizes }, { shape }) {
    const own = (/** @type {number} */ axis) => shape[axis - sizes.length + shape.length] ?? 1;
    const wanted = listed(sizes).map((size, axis) => (size === -1 ? own(axis) : size));
    const isPossible = sizes.length >= shape.length && wanted.every((size, axis) => [1, size].includes(own(axis)));
    return isPossible ? wanted : refuse();
  },
  expand_as: (_given, input, [, { shape }]) => RULES.expand({ shape }, input, []),
  repeat: ({ repeats: sizes }, { shape }) =>
    listed(sizes).map((times, axis) => times * (shape[axis - sizes.length + shape.length] ?? 1)),
  new_zeros: (given) => Object.keys(given).filter((name) => /^argument/.test(name)).flatMap((name) => given[name]),
  getitem({ index }, { shape }) {
    const list = [index].flat();
    const dots = list.findIndex((each) => each?.ellipsis);
    const taken = list.filter((each) => each !== null && !each?.ellipsis).length;
    if (dots >= 0) list.splice(dots, 1, ...Array(Math.max(0, shape.length - taken)).fill(PART));
    const isTensor = list.some((each) => each !== null && !each.bounds && !Number.isInteger(each));
    if (isTensor) unfollowed("an index that is a tensor");
    const axes = [...shape];
    const made = list.flatMap((each) => {
      if (each === null) return [1];
      const size = axes.shift() ?? refuse();
      if (each.bounds) return [slicedSize(size, each.bounds)];
      return each < -size || each >= size ? refuse() : [];
    });
    return [...made, ...axes];
  },
  mean({ dim, keepdim = false }, { shape }) {
    const axes = axesOf(dim, shape);
    return shape.flatMap((size, axis) => (!axes.has(axis) ? [size] : keepdim ? [1] : []));
  },
  max(given, input, inputs) {
    if (inputs.length > 1) return broadcast(inputs);
    return given.dim === undefined ? [] : withIndices(RULES.mean(given, input, inputs));
  },
  sort: ({ dim = -1 }, { shape }) => withIndices(shape.with(axisOf(dim, shape), shape.at(dim) ?? 0)),
  topk: ({ k, dim = -1 }, { shape }) =>
    (k > shape[axisOf(dim, shape)] ? refuse() : withIndices(shape.with(axisOf(dim, shape), k))),
  narrow: ({ dim, length }, { shape }) => shape.with(axisOf(dim, shape), length),
  select: ({ dim }, { shape }) => shape.toSpliced(axisOf(dim, shape), 1),
  cosine_similarity: ({ dim = 1 }, _input, inputs) => RULES.select({ dim }, new Shaped(broadcast(inputs)), []),
  movedim({ source, destination }, input) {
    const order = [...input.shape.keys()];
    const [moved] = order.splice(axisOf(source, input.shape), 1);
    return RULES.permute({ dims: order.toSpliced(axisOf(destination, input.shape), 0, moved) }, input, []);
  },
  bmm(given, input, inputs) {
    const needs = "two batches of matrices, (N, n, m) and (N, m, p)";
    if (inputs.some(({ shape }) => shape.length !== 3)) refuse("operands", { needs });
    return RULES.matmul(given, input, inputs);
  },
  matmul(_given, { shape: a }, [, { shape: b }]) {
    if (a.length < 2 || b.length < 2) unfollowed("a product with a row");
    const needs = "as many columns on the left as rows on the right";
    if (a.at(-1) !== b.at(-2)) refuse("operands", { needs });
    return [...broadcast([a, b].map((each) => ({ shape: each.slice(0, -2) })), needs), a.at(-2), b.at(-1)];
  },
  interpolate({ scale_factor: factor, size }, { shape }) {
    const one = (/** @type {any} */ setting, /** @type {number} */ axis) => listed(setting)[axis] ?? listed(setting)[0];
    const pixels = shape.slice(2).map((each, axis) => one(size, axis) ?? Math.floor(each * Number(one(factor, axis))));
    return pixels.length && pixels.every(Number.isInteger) ? [...shape.slice(0, 2), ...pixels] : refuse();
  },
  pixel_shuffle({ upscale_factor: by }, { shape }) {
    const [channels, height, width] = shape.slice(-3);
    return channels % (by * by) ? refuse() : [...shape.slice(0, -3), channels / (by * by), height * by, width * by];
  },
  pixel_unshuffle({ downscale_factor: by }, { shape }) {
    const [channels, height, width] = shape.slice(-3);
    return height % by || width % by ? refuse() : [...shape.slice(0, -3), channels * by * by, height / by, width / by];
  },
  MaxUnpool2d({ kernel_size: kernel, stride, padding = 0, output_size: size }, { shape }, { length }) {
    if (length < 2) unfollowed("unpooling without indices");
    const [first, rest] = [shape.slice(0, -2), shape.slice(-2)];
    const [kernels, steps] = [pair(kernel), pair(stride ?? kernel)];
    const pixels = rest.map((each, axis) => (each - 1) * steps[axis] - 2 * pair(padding)[axis] + kernels[axis]);
    return [...first, ...(size?.slice(-2) ?? pixels)];
  },
  pad({ padding, pad = Array.isArray(padding) ? padding : Array(4).fill(padding) }, { shape }) {
    const added = shape.map((_, axis) => pad.slice(2 * (shape.length - 1 - axis)).slice(0, 2)); // from the last axis on
    return pad.length / 2 > shape.length ? refuse() : shape.map((size, axis) => size + sumOf(added[axis]));
  },
  LayerNorm({ normalized_shape: last }, { shape }) {
    const isFitting = String(shape.slice(-listed(last).length)) === String(last);
    return isFitting ? shape : refuse("operands", { needs: `shapes that end in ${pythonText(listed(last))}` });
  },
  RNN({ input_size, hidden_size: hidden, num_layers = 1, bidirectional, batch_first, proj_size = 0 }, { shape }) {
    if (shape.length === 2) unfollowed("a sequence without a batch");
    if (proj_size) unfollowed("a projection");
    if (shape.length !== 3) refuse();
    if (shape[2] !== input_size) refuse("features", { needed: input_size, came: shape[2] });
    const ways = bidirectional ? 2 : 1;
    const state = new Shaped([ways * num_layers, shape[batch_first ? 0 : 1], hidden]);
    return [new Shaped([shape[0], shape[1], ways * hidden]), state];
  },
  MultiheadAttention({ embed_dim: width, batch_first, ...rest }, { shape }, [query, key, value]) {
    const isPlain = !rest.kdim && !rest.vdim && !rest.add_bias_kv && !rest.add_zero_attn && shape.length === 3;
    const isFitting = [query, key, value].every((each) => each?.shape.at(-1) === width);
    if (!isPlain || !isFitting || String(key.shape) !== String(value.shape)) unfollowed("this attention");
    const [batch, length] = batch_first ? [0, 1] : [1, 0];
    return [shape, [shape[batch], shape[length], key.shape[length]]].map((each) => new Shaped(each));
  },
  LSTM(given, input, inputs) {
    const [output, state] = RULES.RNN(given, input, inputs);
    return [output, [state, state]];
  },
};

/** Operations that follow the rule of another one. */
const ALIKE = {
  unflatten: "Unflatten", glu: "GLU", contiguous: "LocalResponseNorm ChannelShuffle type_as",
  transpose: "swapaxes swapdims", movedim: "moveaxis",
  cat: "concat concatenate", max: "min",
  mean: "sum amax amin std var norm prod argmax argmin logsumexp", matmul: "mm",
  pixel_shuffle: "PixelShuffle", pixel_unshuffle: "PixelUnshuffle", LayerNorm: "RMSNorm layer_norm",
  new_zeros: "new_ones new_empty",
  interpolate: "upsample Upsample UpsamplingNearest2d UpsamplingBilinear2d",
  pad: "ZeroPad2d ConstantPad2d CircularPad2d ReflectionPad2d ReplicationPad2d", RNN: "GRU",
};
for (const [name, others] of Object.entries(ALIKE)) for (const other of others.split(" ")) RULES[other] = RULES[name];
