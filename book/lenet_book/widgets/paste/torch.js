// @ts-check
/** What layers and functions of torch do to shapes; every operation of a network is a step. */
import { KINDS, checkSettings, kindOf, pair, settingText, settingsOf } from "../calculator/kinds.js";
import { numParameters, runLayer } from "../calculator/layers.js";
import { pythonText, refusalOf } from "../shared/formulas.js";
import { productOf, sumOf } from "../shared/numbers.js";
import { Misfitting, RULES, axisOf, broadcast, kept, refuse, withIndices } from "./rules.js";
import { oneLine, operandsOf } from "./tree.js";
import { Float, Instance, PyList, Shaped, Stop, Unknown, boundTo, known } from "./values.js";

/** @param {string} names */
const setOf = (names) => new Set(names.split(" "));

/**
 * Functions by their names: their kind, what their arguments are called, whether the last is all the rest, and
 * whether they keep the shape.
 *
 * @type {Record<string, { kind: string, names: string[], passed: Record<string, any>, rest: boolean, keeps: boolean }>}
 */
export const CALLS = fromPython("lenet_book.widgets.paste.calls:known");
const CONTAINERS = setOf("Sequential ModuleList ModuleDict ParameterList");
const MADE = setOf("randn rand zeros ones empty full randint normal tensor Tensor FloatTensor as_tensor from_numpy");
const SIZING = setOf("Resize CenterCrop RandomCrop RandomResizedCrop"); // what pictures are brought to
const WRAPPERS = setOf("Variable DataParallel compile script DistributedDataParallel spectral_norm weight_norm Size");
/** Layers of the table that are not followed here. */
const UNFOLLOWED = setOf("Bilinear RNNCell LSTMCell GRUCell");
/** Layers that take more than one tensor. */
const JOINING = setOf("MultiheadAttention MaxUnpool2d RNN LSTM GRU");
const CLASSES = Object.keys(KINDS).filter((name) => /^[A-Z]/.test(name));
export const LAYERS = [...CLASSES, ...CONTAINERS, "Module", "Parameter"];
/** Numbers of axes that layers take, beside those of the table. @type {Record<string, number[]>} */
const AXES = {
  Dropout1d: [2, 3], InstanceNorm1d: [2, 3], InstanceNorm2d: [3, 4], InstanceNorm3d: [4, 5], Softmax2d: [3, 4],
};
/** Settings that a recorded call leaves out at these values. @type {Settings} */
const USUAL = fromPython("lenet_book.widgets.paste.calls:usual");
/** NumPy's names of arguments, and torch's. @type {Record<string, string>} */
const ALIASES = fromPython("lenet_book.widgets.paste.calls:aliases");
const FLOATS = new Set(Object.values(KINDS).flatMap(({ settings }) =>
  Object.keys(settings).filter((name) => settings[name].type === "float")));

/** What torch does in one run. */
export class Torch {
  /** @type {CodeStep[]} */
  steps = [];
  /** What was not understood where it mattered. @type {Unknown[]} */
  unread = [];
  /** What blocks give, that are no rows. @type {NotedShape[]} */
  given = [];
  /** The call of the network itself, which names no operands. @type {PyNode | null} */
  entry = null;
  /** What has run, and so is counted. @type {Set<Shaped | Instance>} */
  #used = new Set();

  /** @param {PyRun} run */
  constructor(run) {
    this.run = run;
  }

  // -------------------------------------------------------------------------- what is noted

  /** @param {Unknown} unknown */
  note(unknown) {
    if (!this.unread.some((each) => each.what === unknown.what)) this.unread.push(unknown);
  }

  /** Something that is not known gets arguments. @param {Unknown} unknown @param {PyValue[]} args */
  unknownCall(unknown, args) {
    const getsTensors = tensorsIn(args).length > 0 || args.some((arg) => arg instanceof Unknown);
    if (!this.run.isScript && getsTensors) this.note(unknown);
    return unknown;
  }

  /** A script calls its network. @param {Instance} network @param {PyCall} call */
  noteCall(network, { args: [images, ...others], node }) {
    if (images instanceof Shaped) this.run.noted.push({ shape: images.shape, node, network, others });
    return new Unknown("what a network gives in a script is not followed", node);
  }

  /** A block gives a value, which is no row. @param {PyValue} value @param {PyNode} node */
  noteGiven(value, node) {
    if (value instanceof Shaped) this.given.push({ node, shape: value.shape, index: this.steps.length });
    return value;
  }

  // -------------------------------------------------------------------------- calls of the library

  /** @param {Library} library @param {PyCall} call @returns {PyValue} */
  callLibrary({ path, name }, call) {
    const { args, named, node } = call;
    const [first] = args;
    const size = name === "summary" && first instanceof Instance && (named.get("input_size") ?? args[1]);
    const sizes = /torchinfo/.test(path) ? size : [0, size].flat();
    if (size && sizes.every(Number.isInteger)) this.noteCall(first, { ...call, args: [new Shaped(sizes)] });
    const pixels = SIZING.has(name) ? named.get("size") ?? first : null;
    if ([pixels].flat().every(Number.isInteger)) this.run.noted.push({ shape: [], pixels: pair(pixels), node });
    const isOfNumpy = path.startsWith("numpy.") && MADE.has(name);
    if (path.startsWith("torch.") || isOfNumpy) {
      if (name === "Parameter" && first instanceof Shaped) return parameter(first.shape);
      if (WRAPPERS.has(name)) return first;
      if (MADE.has(name)) return this.#makeTensor(name, call);
      if (name === "__init__" && first instanceof Instance) return this.setUp(first, { ...call, args: args.slice(1) });
      const isOfLayers = /^torch\.nn\.(?!functional|init)/.test(path);
      const isLazy = isOfLayers && name.startsWith("Lazy");
      const made = new Instance(isLazy ? name.slice(4) : name, null, node);
      if (isOfLayers && LAYERS.includes(made.type)) return this.setUp(Object.assign(made, { isLazy }), call);
      const passed = path.includes(".functional.") ? CALLS[name]?.passed : {};
      if (CALLS[name] && !isOfLayers) return this.#callFunction(name, call, passed);
    }
    return this.unknownCall(notKnown(path, node), args);
  }

  /** @param {string} name @param {PyCall} call */
  #makeTensor(name, { args, named, node }) {
    const [first] = args;
    if (first instanceof Shaped) return first;
    const isNumbers = name === "tensor" && !(first instanceof Unknown || first instanceof Shaped);
    if (isNumbers || (/Tensor/.test(name) && first instanceof PyList)) return new Shaped(sizesIn(first));
    const isListed = name === "randint" || Array.isArray(args[0]);
    const sizes = named.get("size") ?? (isListed ? args.find(Array.isArray) : args);
    const unknown = sizes?.find((/** @type {PyValue} */ size) => size instanceof Unknown);
    if (!sizes?.every(Number.isInteger)) return unknown ?? new Unknown("the size of a tensor is not known", node);
    if (this.run.isScript && !this.run.numMaking) this.run.noted.push({ shape: sizes, node });
    return new Shaped([...sizes]);
  }

  // -------------------------------------------------------------------------- layers

  /** Do what a module's constructor does. @param {Instance} module @param {PyCall} call */
  setUp(module, call) {
    module.isReady = true;
    if (CONTAINERS.has(module.type)) return this.filled(module, call);
    return KINDS[module.type] ? this.#makeLayer(module, call) : module;
  }

  /** Give a layer its settings. @param {Instance} layer @param {PyCall} call */
  #makeLayer(layer, call) {
    const { type, settings } = layer;
    const kind = KINDS[type].settings;
    layer.scope = call.scope ?? null;
    const others = type === "Identity" ? null : ["device", "dtype"];
    const names = Object.keys(kind).filter((name) => !layer.isLazy || name !== KINDS[type].fits?.setting);
    for (const [name, value] of Object.entries(byName(names, call, others))) {
      if (kind[name]) settings[name] = Array.isArray(value) ? [...value] : value;
    }
    const { scale_factor: factor, normalized_shape: last, affine = kind.affine?.default } = settings;
    if (type === "Upsample" && factor) settings.scale_factor = [factor].flat().map((each) => new Float(each));
    if (last) settings.normalized_shape = [last].flat();
    if (affine === false) settings.bias = false;
    const missing = names.find((name) => kind[name].required && settings[name] === undefined);
    const mattering = Object.keys(settings).filter((name) => kind[name]?.type !== "float" && name !== "inplace");
    layer.unknown = mattering.flatMap((name) => settings[name]).find((value) => value instanceof Unknown) ?? null;
    const refusal = layer.unknown ? "" : missing ? `${missing} is not given` : refusalOf(() => checkSettings(layer));
    if (refusal) layer.unknown = new Stop(`${oneLine(call.node)} cannot be made: ${refusal}`, call.node);
    return layer;
  }

  /** Put modules into a container. @param {Instance} container @param {PyCall} call */
  filled(container, call) {
    const { args: [first = [], ...rest], args, node } = call;
    const isSequence = container.type === "Sequential";
    const why = `${oneLine(node)} gives more than one list of layers`;
    if (!isSequence && rest.length) container.unknown = new Stop(why, node);
    const isNamed = first instanceof Map || container.type === "ModuleDict";
    const listed = () => (isSequence ? args : this.run.iterate(first, node)).entries();
    for (const child of isNamed ? first : listed()) setNamed(container, child, this.run, call);
    return container;
  }

  /** What torch gives a module, if anything. @param {Instance} module @param {string} name @returns {PyValue} */
  moduleAttribute(module, name) {
    if (MODULE_METHODS[name]) return boundTo(module, MODULE_METHODS[name]);
    if (name === "_modules") return new Map(module.children);
    return name === "training" ? false : module.settings[name];
  }

  /** @param {Instance} layer */
  numParameters({ type, settings }) {
    return numParameters({ name: type, type, settings }) + (OWN_PARAMETERS[type]?.(settings) ?? 0);
  }

  /** @param {Instance} module  of torch.nn @param {PyCall} call @param {boolean} [isInSequence] @returns {PyValue} */
  callModule(module, call, isInSequence = false) {
    const { args, named, node } = call;
    const { type, settings, name, made } = module;
    const isLost = name === null && !this.run.isScript;
    if (type === "Sequential") {
      const value = this.#through(module, call);
      return isInSequence ? value : this.noteGiven(value, node);
    }
    if (isLost && !this.numParameters(module)) return this.#callAsFunction(module, call);
    const inputs = tensorsIn([...args, ...named.values()]);
    const its = module.cls?.node;
    if (its && type === "Module") throw new Stop(`${its.child("VariableName")?.text} has no method forward`, its);
    const { fits } = kindOf(module);
    if (module.isLazy && fits && !this.#used.has(module)) settings[fits.setting] = inputs[0]?.shape.at(fits.axis);
    const step = stepOf({ name: name || type, type, settings }, inputs, node, module, isInSequence);
    const [first] = args;
    const isMore = args.length + named.size > 1 && !JOINING.has(type) && !UNFOLLOWED.has(type);
    const why = isMore ? "gives more than one tensor, which is not followed" : inputs.length ? ""
      : `gets ${first instanceof Instance ? `a layer, ${first.type},` : "nothing"} instead of a tensor`;
    const odd = why ? this.run.unknown(node, why) : null;
    const unknown = args.find((arg) => arg instanceof Unknown) ?? module.unknown ?? odd ?? (isLost && new Unknown(
      `the network does not find the weights of ${type}, which is made in forward or kept in a plain list`, made));
    const { output_size = null } = Object.fromEntries(named);
    const given = { ...settings, ...(type === "MaxUnpool2d" && { output_size }) };
    return this.#run(step, inputs, given, unknown || null, false);
  }

  /** Run a layer without weights that the network does not know. @param {Instance} layer @param {PyCall} call */
  #callAsFunction({ type, settings, unknown }, { args, node }) {
    if (type === "Identity") return args[0];
    const name = Object.keys(CALLS).find((each) => each.replace(/(?<=.)_(?=.)/g, "") === type.toLowerCase());
    if (unknown || !name) return this.unknownCall(unknown ?? notKnown(type, node), args);
    const { names, passed } = CALLS[name];
    const given = Object.entries(settingsOf({ type, settings })).filter(([key]) => names.includes(key));
    return this.#callFunction(name, { args, named: new Map(given), node }, passed);
  }

  /** What comes out of the last module. @param {Instance} sequence @param {PyCall} call @returns {PyValue} */
  #through({ unknown, modules }, { args: [input], node }) {
    return unknown ?? modules.reduce((given, each) => {
      const call = { args: [given], named: new Map(), node };
      const isBlock = each.cls?.find("forward");
      return isBlock ? this.run.call(each, { ...call, node: each.made }) : this.callModule(each, call, true);
    }, input);
  }

  // -------------------------------------------------------------------------- functions and methods

  /** @param {Shaped} tensor @param {string} name @param {PyNode} node @returns {PyValue} */
  attribute(tensor, name, node) {
    const { shape } = tensor;
    const known = { shape: [...shape], ndim: shape.length, data: tensor, is_cuda: false }[name];
    if (known !== undefined) return known;
    if (name === "T" || name === "mT") return this.call(name, { input: tensor }, node);
    if (RULES.new_zeros === RULES[name]) return boundTo(tensor, (_, args, { torch }, call) =>
      torch.call(name, byName([], { ...call, args: [tensor, ...args] }), node));
    if (SIZES_OF[name]) return boundTo(tensor, SIZES_OF[name]);
    if (!CALLS[name]) return notKnown(name, node);
    return boundTo(tensor, (_, args, { torch }, call) =>
      torch.#callFunction(name, { ...call, args: [tensor, ...args] }));
  }

  /**
   * What an operator makes of a tensor and something else.
   *
   * @param {string} name @param {PyValue} left @param {PyValue} right @param {PyNode} node @param {boolean} isInPlace
   */
  operate(name, left, right, node, isInPlace) {
    const other = name === "pow" ? "exponent" : "other";
    if (left instanceof Shaped) return this.call(isInPlace ? `${name}_` : name, { input: left, [other]: right }, node);
    return this.call({ sub: "rsub", div: "rdiv", pow: "rpow" }[name] ?? name, { input: right, other: left }, node);
  }

  /** @param {string} name @param {PyCall} call @param {Record<string, any>} [passed]  on where it is not given */
  #callFunction(name, { args, named, node }, passed = {}) {
    const { names, rest, kind } = CALLS[name];
    const isMany = rest && args.length > 1 && !Array.isArray(args[1]);
    const others = LAYERS.includes(kind) && !name.endsWith("_") ? [] : null;
    const given = byName(names, { args: isMany ? [args[0], args.slice(1)] : args, named, node }, others);
    const usual = Object.entries(passed).map(([key, value]) => [key, FLOATS.has(key) ? new Float(value) : value]);
    const all = { ...Object.fromEntries(usual), ...given };
    const ordered = Object.fromEntries(names.filter((key) => key in all).map((key) => [key, all[key]]));
    return this.call(name, usual.length ? ordered : given, node);
  }

  /** Run a function. @param {string} name @param {Settings} given @param {PyNode} node @returns {PyValue} */
  call(name, given, node) {
    if (Array.isArray(given.input)) return this.run.unknown(node, "gets several tensors instead of one");
    const inputs = tensorsIn(Object.values(given));
    const bare = name.replace(/_$/, "");
    const { kind = "", keeps = false } = CALLS[name] ?? CALLS[bare] ?? {};
    const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => !tensorsIn([value]).length));
    const layer = { name, ...functionLayer(kind || bare, settings, inputs) };
    const isKept = keeps || kindOf(layer).pointwise;
    const step = stepOf(layer, inputs, node);
    step.operation = described(name, settings, inputs, node);
    const mattering = Object.keys(given).filter((key) => !isKept || /^(input|other|tensors)$/.test(key));
    const parts = mattering.flatMap((key) => given[key]).flatMap((part) => part?.bounds ?? part);
    const lost = parts.find((part) => part instanceof Unknown) ?? null;
    if (!inputs.length && !lost) return this.run.unknown(node);
    return this.#run(step, inputs, bare === name ? given : { ...given, inplace: true }, lost, isKept);
  }

  /**
   * Run an operation, which is a step of the network.
   *
   * @param {CodeStep} step @param {Shaped[]} inputs @param {Settings} given
   * @param {Unknown | null} unknown  why nothing is known of what it gives @param {boolean} isKept  the inputs' shape
   */
  #run(step, inputs, given, unknown, isKept) {
    const { layer, module, node } = step;
    try {
      known(unknown);
      const weights = module ? [module] : inputs.filter((each) => each.isParameter);
      const fresh = [...new Set(weights)].filter((each) => !this.#used.has(each));
      fresh.forEach((each) => this.#used.add(each));
      step.numParameters = sumOf(fresh.map((each) => (module ? this.numParameters(module) : productOf(each.shape))));
      const made = resultOf(step, inputs, given, isKept);
      const isShape = Array.isArray(made) && made.every((size) => typeof size === "number");
      const result = given.inplace === true ? inputs[0] : isShape ? new Shaped(made) : made;
      const outputs = tensorsIn([result]);
      step.outputShape = [...outputs[0].shape];
      if (this.run.isScript) return result;
      outputs.forEach((each) => (each.source = this.steps.length));
      this.steps.push(step);
      return result;
    } catch (error) {
      const isMisfit = error instanceof Misfitting;
      const misfit = isMisfit && (node === this.entry ? error.misfit : withNames(error.misfit, step));
      if (isMisfit) error.step = Object.assign(step, { misfit });
      if (isMisfit || !(error instanceof Unknown)) throw error;
      error.node ??= node;
      if (this.run.isScript) return error;
      this.note(error);
      this.steps.push(Object.assign(step, { isUnknown: true, operation: step.operation ?? layer.type }));
      return error;
    }
  }
}

/** @param {CodeStep} step @param {Shaped[]} inputs @param {Settings} given @param {boolean} isKept */
function resultOf({ layer, module, inputShape, node }, inputs, given, isKept) {
  const [input] = inputs;
  const { pointwise, window, fits } = kindOf(layer);
  const name = module ? layer.type : layer.name.replace(/_$/, "");
  const isFollowed = RULES[name] || isKept || pointwise || window || fits;
  if (!input || !isFollowed || UNFOLLOWED.has(layer.type)) throw notKnown(name, node);
  if (AXES[layer.type] && !AXES[layer.type].includes(inputShape.length)) refuse();
  const takesOne = module && (window || pointwise || name === "Linear");
  if (takesOne && inputs.length > 1) refuse("tuple");
  if ((isKept || pointwise) && Number.isInteger(given.dim)) axisOf(given.dim, inputShape);
  if (RULES[name]) return RULES[name](given, input, inputs);
  if (isKept) return kept(broadcast(inputs), input, true);
  const { misfit, outputShape } = runLayer(layer, inputShape);
  if (misfit) refuse(misfit.kind, misfit);
  if (given.return_indices === true && !module) throw notKnown(`${name} with return_indices`, node);
  return given.return_indices === true ? withIndices(outputShape) : kept(outputShape, input, pointwise);
}

/** Methods of tensors that give no tensor. @type {Record<string, Method>} */
const SIZES_OF = {
  size({ shape }, [axis], run, { named, node }) {
    const dim = axis ?? named.get("dim");
    return dim === undefined ? [...shape] : shape.at(dim) ?? run.unknown(node, ": there is no such axis");
  },
  dim: ({ shape }) => shape.length,
  item: (_tensor, _args, run, { node }) => run.unknown(node, "is a number that is not known"),
  numel: ({ shape }) => productOf(shape),
};

/** @type {Method} */
const setNamed = (module, [name, value]) => {
  const { cls, type, made } = module;
  const isFitting = cls || type === "ParameterList" || value === null || (value instanceof Instance && value.type);
  const odd = isFitting ? null : new Unknown(`${type} holds what is no layer`, made);
  module.unknown ??= [name, value].find((each) => each instanceof Unknown && !cls) ?? odd;
  module.attributes.set(String(name), value);
};

/** @param {string} names @param {Method} method @returns {Record<string, Method>} */
const allOf = (names, method) => Object.fromEntries(names.split(" ").map((name) => [name, method]));

/** @param {Instance} module @returns {Instance[]} */
const allModules = (module) => [module, ...module.modules.flatMap(allModules)];

/** @type {Record<string, Method>} */
const MODULE_METHODS = {
  __init__: (module, _args, { torch }, call) => torch.setUp(module, call),
  forward: (module, _args, { torch }, call) => torch.callModule(module, call),
  append: (module, [child], run, call) => (setNamed(module, [module.children.length, child], run, call), module),
  extend(module, [children], run, call) {
    for (const child of run.iterate(children, call.node)) setNamed(module, [module.children.length, child], run, call);
    return module;
  },
  insert(module, [at, child]) {
    const all = module.modules.toSpliced(at, 0, child).entries();
    module.attributes = new Map([...all].map(([index, each]) => [String(index), each]));
  },
  parameters: () => PyList.of(parameter([])), // of which nothing is known but that there is one
  modules: (module) => PyList.from(allModules(module)),
  keys: ({ attributes }) => PyList.from(attributes.keys()),
  ...allOf("children values", ({ modules }) => PyList.from(modules)),
  ...allOf("named_children items", ({ children }) => PyList.from(children)),
  ...allOf("add_module register_module register_parameter register_buffer", setNamed),
  ...allOf("to cuda cpu eval train float half double apply requires_grad_", (module) => module),
};

/** Parameters of layers that the table does not count. @type {Record<string, (settings: Settings) => number>} */
const OWN_PARAMETERS = {
  LayerNorm: ({ normalized_shape, elementwise_affine = true, bias = true }) =>
    (elementwise_affine ? (bias ? 2 : 1) * productOf(normalized_shape) : 0),
  RMSNorm: ({ normalized_shape, elementwise_affine = true }) => (elementwise_affine ? productOf(normalized_shape) : 0),
  MultiheadAttention: ({ embed_dim: width, bias = true }) => 4 * width * (width + (bias ? 1 : 0)),
  PReLU: ({ num_parameters = 1 }) => num_parameters,
};

/**
 * Arguments by name; none may be given twice, and none but those named and the others, if these are all.
 *
 * @param {string[]} names @param {PyCall} call @param {string[] | null} [others] @returns {Settings}
 */
function byName(names, { args, named, node }, others = null) {
  const placed = args.map((value, index) => [names[index] ?? (index ? `argument${index}` : "input"), value]);
  const given = [...placed, ...[...named].map(([name, value]) => [ALIASES[name] ?? name, value])];
  const twice = placed.find(([name]) => named.has(name));
  const wrong = twice ?? (others && given.find(([name]) => ![...names, ...others].includes(name)));
  const why = twice ? " twice" : ", which it does not take";
  if (wrong) throw new Unknown(`${oneLine(node)} gives ${wrong[0]}${why}`, node);
  return Object.fromEntries(given);
}

/** @param {string} name @param {PyNode} node */
function notKnown(name, node) {
  return new Unknown(`what ${name} gives is not known here`, node);
}

/** @param {number[]} shape */
function parameter(shape) {
  return Object.assign(new Shaped([...shape]), { isParameter: true });
}

/** A call as text. @param {string} name @param {Settings} settings @param {Shaped[]} inputs @param {PyNode} node */
function described(name, settings, [input], node) {
  const { names, rest } = CALLS[name] ?? { names: [] };
  const sizes = rest ? [settings[names[1]]].flat() : [];
  const written = node.arguments.filter((each) => !each.name).map((each) => each.star + each.node.text);
  const isNamed = written.length === sizes.length && Number.isNaN(Number(written[0]));
  const first = isNamed && sizes[0] === input?.shape[0] ? [written[0]] : []; // of the batch
  const shown = Object.entries(settings).filter(([key, value]) =>
    !(value === null || value instanceof Unknown || value === USUAL[key]));
  const texts = rest ? [...first, ...sizes.slice(first.length).map(pythonText)]
    : shown.map(([key, value]) => `${key}=${settingText(value)}`);
  return `${name}(${texts.join(", ")})`;
}

/** The sizes of a list of lists. @param {PyValue} value @returns {number[]} */
const sizesIn = (value) => (Array.isArray(value) ? [value.length, ...sizesIn(value[0])] : []);

/** The tensors in lists and tuples. @param {PyValue[]} values @returns {Shaped[]} */
function tensorsIn(values) {
  return values.flatMap((value) => (value instanceof Shaped ? [value] : Array.isArray(value) ? tensorsIn(value) : []));
}

/**
 * The layer that does what a function does, with the sizes of its weights.
 *
 * @param {string} type @param {Settings} settings @param {Shaped[]} inputs
 */
function functionLayer(type, settings, [, weight, bias]) {
  const { window, fits, width } = kindOf({ type });
  if (!weight || !fits || !width) return { type, settings };
  const [first, second, ...kernel] = weight.shape;
  const grouped = second * (settings.groups ?? 1);
  const [before, after] = window === "transpose" ? [first, grouped] : [grouped, first];
  const ofWeight = { [fits.setting]: before, [width]: after, kernel_size: kernel };
  return { type, settings: { ...settings, ...ofWeight, bias: Boolean(bias) } };
}

/**
 * @param {Layer} layer @param {Shaped[]} inputs @param {PyNode} node @param {any} [module]  none for a function
 * @param {boolean} [isInSequence] @returns {CodeStep}
 */
function stepOf(layer, inputs, node, module = null, isInSequence = false) {
  const inputShapes = inputs.map(({ shape }) => [...shape]);
  const step = {
    layer, inputShape: inputShapes[0] ?? [], inputShapes, sources: inputs.map(({ source }) => source), outputShape: [],
    numParameters: 0, node, module, isInSequence, isUnknown: false,
    ...(!module && node.type !== "CallExpression" && { title: oneLine(node) }),
  };
  Object.assign(layer, { step, ...(!module && { line: node.place.line }) });
  return step;
}

/** With the code's own words for operands. @param {Misfit} misfit @param {CodeStep} step @returns {Misfit} */
function withNames(misfit, { node, module, operation = "", inputShapes }) {
  const names = operandsOf(node, Boolean(module)).slice(0, inputShapes.length).map(({ text }) => text);
  const isWritten = names.length === inputShapes.length && (node.type === "CallExpression" || !module);
  const asked = operation.slice(operation.indexOf("(")).replace(/^\(([^,]+)\)$/, "($1,)");
  return { ...misfit, asked, ...(isWritten && { names }) };
}
