// @ts-check
/** What layers and functions of torch do to shapes; every operation of a network is a step. */
import { KINDS, kindOf, settingsOf } from "../calculator/kinds.js";
import { numParameters, runLayer } from "../calculator/layers.js";
import { ShapeError, alongAxes, checkNumber, pythonText, refusalOf } from "../shared/formulas.js";
import { productOf, sumOf } from "../shared/numbers.js";
import { Float, Instance, Method, PyList, Shaped, Unknown } from "./values.js";
import { argumentsOf } from "./tree.js";

/** Functions by their names: their kind, and what their arguments are called. @type {Record<string, { kind: string, names: string[], passed: Record<string, any> }>} */
export const CALLS = fromPython("lenet_book.widgets.paste.calls:known");
const VARIADIC = /** @type {Record<string, string>} */ ({ view: "shape", reshape: "shape", expand: "shape", permute: "dims", repeat: "sizes" });
const CONTAINERS = new Set(["Sequential", "ModuleList", "ModuleDict", "ParameterList"]);
const MADE = new Set(["randn", "rand", "zeros", "ones", "empty", "full", "randint", "normal"]);
const WRAPPERS = new Set(["DataParallel", "compile", "script", "DistributedDataParallel", "spectral_norm", "weight_norm"]);
const KEPT_SETTINGS = new Set(["padding", "dilation", "groups", "count_include_pad", "ceil_mode", "inplace", "return_indices", "training"]);
/** @type {Settings} */
const USUAL = { padding: 0, dilation: 1, groups: 1, count_include_pad: true, ceil_mode: false, inplace: false, return_indices: false, training: false };
/** Numbers of axes that layers take, beside those of the table. @type {Record<string, number[]>} */
const AXES = { BatchNorm1d: [2, 3], InstanceNorm1d: [2, 3], InstanceNorm2d: [3, 4], InstanceNorm3d: [4, 5], Softmax2d: [3, 4] };
const FLOATS = new Set(["p", "eps", "alpha", "momentum", "negative_slope", "beta", "threshold", "min_val", "max_val"]);
const FREE_SETTINGS = new Set(["p", "eps", "momentum", "dropout", "negative_slope", "inplace", "mode", "align_corners", "padding_mode", "alpha"]);

/** An operation whose operands do not go together. */
export class MisfitError extends Error {
  /** @param {CodeStep} step */
  constructor(step) {
    super("shapes do not fit");
    this.step = step;
  }
}

/** Refuse an operation. @param {string} kind @param {Record<string, any>} [more] @returns {never} */
function refuse(kind, more = {}) {
  throw Object.assign(new TypeError(kind), { misfit: { kind, ...more } });
}

export class Torch {
  /** @type {CodeStep[]} */
  steps = [];
  /** What was not understood where it mattered. @type {Unknown[]} */
  unread = [];
  /** What blocks give, that are no rows: behind which row, and where they are called. @type {{ shape: number[], node: PyNode, index: number }[]} */
  given = [];
  /** Tensors that a script makes, and networks that it calls. @type {{ shape: number[], node: PyNode, network?: Instance }[]} */
  noted = [];
  /** All layers and networks that were made. @type {Instance[]} */
  made = [];
  layerNames = Object.keys(KINDS).filter((name) => /^[A-Z]/.test(name)).concat(...CONTAINERS, "Module", "Parameter");
  /** @type {Set<Shaped | Instance>} */
  #used = new Set();
  /** @type {PyRun} */
  run = /** @type {any} */ (null);

  /** Forget what ran. */
  start() {
    this.steps = [];
    this.unread = [];
    this.given = [];
    this.#used = new Set();
  }

  /** Remember what a block gives, that is no row. @param {PyValue} value @param {PyNode} node */
  noteGiven(value, node) {
    if (value instanceof Shaped) this.given.push({ node, shape: value.shape, index: this.steps.length });
  }

  /** @param {Instance} layer */
  numParameters({ type, settings, name }) {
    return numParameters({ name, type, settings }) + (LAYER_PARAMETERS[type]?.(settings) ?? 0);
  }

  /** @param {unknown} error */
  isMisfit(error) {
    return error instanceof MisfitError;
  }

  // -------------------------------------------------------------------------- calls of the library

  /** @param {string} path @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node @returns {PyValue} */
  callLibrary(path, args, named, node) {
    const name = /** @type {string} */ (path.split(".").at(-1));
    if (this.run.isScript && name === "summary" && args[0] instanceof Instance && Array.isArray(args[1])) return this.noteCall(args[0], [new Shaped([1, ...args[1]])], node);
    if (!path.startsWith("torch.")) return this.unknownCall(new Unknown(`what ${path} gives is not known here`, node), args, node);
    if (path.startsWith("torch.nn.init.")) return null;
    if (CONTAINERS.has(name)) return this.#filled(new Instance(name, null, node), args, node);
    if (name === "Parameter" && args[0] instanceof Shaped) return Object.assign(new Shaped(args[0].shape), { isParameter: true });
    if (WRAPPERS.has(name)) return args[0];
    if (MADE.has(name)) return this.#makeTensor(name, args, named, node);
    if (name === "Size") return args[0];
    if (/^[A-Z]/.test(name) && path.startsWith("torch.nn.") && KINDS[name]) return this.#makeLayer(name, args, named, node);
    if (CALLS[name] && path.includes(".functional.")) return this.#callFunction(name, args, named, node, CALLS[name].passed);
    if (CALLS[name]) return this.#callFunction(name, args, named, node);
    return this.unknownCall(new Unknown(`what ${path} gives is not known here`, node), args, node);
  }

  /** Something that is not known gets tensors: nothing is known of what it gives. @param {Unknown} unknown @param {PyValue[]} args @param {PyNode} _node */
  unknownCall(unknown, args, _node) {
    const getsTensors = tensorsIn(args).length > 0 || args.some((arg) => arg instanceof Unknown);
    if (!this.run.isScript && getsTensors) this.note(unknown);
    return unknown;
  }

  /** @param {Unknown} unknown */
  note(unknown) {
    if (!this.unread.some((each) => each.what === unknown.what)) this.unread.push(unknown);
  }

  /** @param {string} name @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node */
  #makeTensor(name, args, named, node) {
    const sizes = named.get("size") ?? (Array.isArray(args[0]) ? args[0] : name === "randint" ? args.find(Array.isArray) : args);
    const unknown = [sizes].flat().find((size) => !Number.isInteger(size));
    if (!Array.isArray(sizes) || unknown !== undefined) return unknown instanceof Unknown ? unknown : new Unknown("the size of a tensor is not known", node);
    if (this.run.isScript && !this.run.numMaking) this.noted.push({ shape: sizes, node });
    return new Shaped([...sizes]);
  }

  /** A script calls its network. @param {Instance} network @param {PyValue[]} args @param {PyNode} node */
  noteCall(network, args, node) {
    if (args[0] instanceof Shaped) this.noted.push({ shape: args[0].shape, node, network });
    return new Unknown("what a network gives in a script is not followed", node);
  }

  // -------------------------------------------------------------------------- layers

  /** @param {string} type @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node */
  #makeLayer(type, args, named, node) {
    const layer = new Instance(type, null, node);
    layer.scope = this.run.scope;
    const kind = KINDS[type].settings;
    Object.keys(kind).forEach((name, index) => {
      if (named.has(name) || index < args.length) layer.settings[name] = plain(named.get(name) ?? args[index] ?? null);
    });
    if (type === "Upsample" && layer.settings.scale_factor) layer.settings.scale_factor = [layer.settings.scale_factor].flat().map((each) => new Float(each));
    if (type === "LayerNorm") layer.settings.normalized_shape = [layer.settings.normalized_shape].flat();
    if ("affine" in kind && !(layer.settings.affine ?? kind.affine.default)) layer.settings.bias = false;
    const missing = Object.keys(kind).find((name) => kind[name].required && layer.settings[name] === undefined);
    const unknown = Object.entries(layer.settings).find(([name, value]) => [value].flat().some((each) => each instanceof Unknown) && !FREE_SETTINGS.has(name));
    if (unknown) layer.unknown = [unknown[1]].flat().find((each) => each instanceof Unknown) ?? null;
    else if (missing) layer.unknown = new Unknown(`${missing} of ${type} is not given`, node);
    else {
      const refusal = refusalOf(() => checkSizes(type, layer.settings));
      if (refusal) layer.unknown = new Unknown(`${this.run.text(node)} cannot be made: ${refusal}`, node);
    }
    this.made.push(layer);
    return layer;
  }

  /** Put modules into a container. @param {Instance} container @param {PyValue[]} args @param {PyNode} node */
  #filled(container, args, node) {
    const [first] = args;
    if (first instanceof Unknown) container.unknown = first;
    const pairs = first instanceof Map ? [...first] : container.type === "Sequential" ? args.entries() : first === undefined ? [] : this.run.iterate(first, node).entries();
    for (const [name, module] of pairs) container.attributes.set(String(name), module);
    return container;
  }

  /** @param {string} type @param {PyValue[]} modules @param {PyNode} node */
  container(type, modules, node) {
    const made = new Instance(type, null, node);
    return this.#filled(made, type === "Sequential" ? modules : [PyList.from(modules)], node);
  }

  /** @param {Instance} module @param {string} name @param {PyNode} node */
  moduleAttribute(module, name, node) {
    if (name === "training") return false;
    if (["weight", "bias"].includes(name) && module.settings.in_features) {
      const { in_features: inputs, out_features: outputs } = module.settings;
      return Object.assign(new Shaped(name === "bias" ? [outputs] : [outputs, inputs]), { isParameter: true });
    }
    if (/^[a-z_]+$/.test(name) && MODULE_METHODS.has(name)) return new Method(module, name);
    return new Unknown(`${this.run.text(node)} is not set`, node);
  }

  /** @param {Instance} module @param {string} method @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node @returns {PyValue} */
  callModuleMethod(module, method, args, named, node) {
    const { attributes } = module;
    const size = module.children.length;
    if (method === "__init__") return CONTAINERS.has(module.type) ? void this.#filled(module, args, node) : KINDS[module.type] ? void Object.assign(module, this.#makeLayer(module.type, args, named, node), { cls: module.cls }) : null;
    if (method === "forward") return this.callLayer(module, args, named, node);
    if (method === "append") attributes.set(String(size), args[0]);
    else if (method === "extend") this.run.iterate(args[0], node).forEach((each, index) => attributes.set(String(size + index), each));
    else if (["add_module", "register_module", "register_parameter", "register_buffer"].includes(method)) attributes.set(args[0], args[1]);
    else if (method === "children") return PyList.from(module.children.map(([, child]) => child));
    else if (method === "named_children" || method === "items") return PyList.from(module.children);
    else if (method === "values") return PyList.from(module.children.map(([, child]) => child));
    else if (method === "keys") return PyList.from(attributes.keys());
    else if (method === "modules" || method === "named_modules" || method === "parameters" || method === "named_parameters") return new PyList();
    return ["append", "extend", "to", "cuda", "cpu", "eval", "train", "float", "half", "double", "apply", "requires_grad_"].includes(method) ? module : null;
  }

  /** Run a layer or a container of torch.nn. @param {Instance} module @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node @param {boolean} [isInSequence] @returns {PyValue} */
  callLayer(module, args, named, node, isInSequence = false) {
    if (module.type === "Sequential") {
      const before = this.given.length;
      const value = module.unknown ?? module.children.reduce((value, [, child]) => (child.cls ? this.run.call(child, [value], new Map(), node) : this.callLayer(child, [value], new Map(), node, true)), args[0]);
      this.given = this.given.filter((each, index) => index < before || each.node !== node); // the sequence gives its last only
      return value;
    }
    const inputs = tensorsIn([...args, ...named.values()]);
    const [input] = inputs;
    const layer = { name: module.name || module.type, type: module.type, settings: module.settings };
    const step = { ...this.#step(layer, inputs, node, module), isInSequence };
    const unknown = args.find((arg) => arg instanceof Unknown) ?? module.unknown ?? (module.isNamed || this.run.isScript ? null : new Unknown(`${module.type} is kept where the network does not find it, such as a plain list`, module.made));
    if (unknown || !input || !KINDS[module.type]) return this.#unknownStep(step, unknown ?? new Unknown(`what ${module.type} gives is not known here`, node));
    if (!this.#used.has(module)) step.numParameters = this.numParameters(module);
    this.#used.add(module);
    return this.#finish(step, inputs, () => {
      if (AXES[module.type] && !AXES[module.type].includes(input.shape.length)) refuse("other");
      const special = LAYERS[module.type];
      if (special) return special(input.shape, step.layer.settings, inputs);
      const ran = runLayer(step.layer, input.shape);
      if (ran.misfit) refuse(ran.misfit.kind, ran.misfit);
      return kept(ran.outputShape, input, kindOf(layer).pointwise);
    }, module.settings.inplace === true);
  }

  // -------------------------------------------------------------------------- functions and methods

  /** @param {Shaped} tensor @param {string} name @param {PyNode} node */
  attribute(tensor, name, node) {
    if (name === "shape") return [...tensor.shape];
    if (name === "ndim") return tensor.shape.length;
    if (name === "T") return this.call("t", { input: tensor }, node);
    if (name === "data") return tensor;
    return name === "device" || name === "dtype" ? new Unknown(`${name} is not followed`, null) : new Method(tensor, name);
  }

  /** @param {Shaped} owner @param {string} name @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node @returns {PyValue} */
  callMethod(owner, name, args, named, node) {
    const { shape } = owner;
    if (name === "size") return args.length || named.has("dim") ? (shape.at(args[0] ?? named.get("dim")) ?? new Unknown(`${this.run.text(node)}: there is no such axis`, node)) : [...shape];
    if (name === "dim") return shape.length;
    if (name === "numel") return productOf(shape);
    if (CALLS[name] || VARIADIC[name]) return this.#callFunction(name, [owner, ...args], named, node);
    return this.unknownCall(new Unknown(`what ${name} gives is not known here`, node), [owner], node);
  }

  /** @param {string} name @param {PyValue} left @param {PyValue} right @param {PyNode} node @param {boolean} inPlace */
  operate(name, left, right, node, inPlace) {
    const other = name === "pow" ? "exponent" : "other";
    if (left instanceof Shaped) return this.call(inPlace ? `${name}_` : name, { input: left, [other]: right }, node);
    return this.call({ sub: "rsub", div: "rdiv", pow: "rpow" }[name] ?? name, { input: right, other: left }, node);
  }

  /** @param {string} name @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node @param {Record<string, any>} [passed]  what the function passes on where it is not given */
  #callFunction(name, args, named, node, passed = {}) {
    /** @type {Record<string, PyValue>} */
    const given = {};
    const rest = VARIADIC[name];
    if (rest && args.length > 1) Object.assign(given, { input: args[0], [rest]: Array.isArray(args[1]) ? [...args[1]] : args.slice(1) });
    else args.forEach((value, index) => (given[CALLS[name]?.names[index] ?? (rest && index ? rest : index ? `argument${index}` : "input")] = value));
    Object.assign(given, Object.fromEntries(named));
    for (const key of Object.keys(passed).length ? (CALLS[name]?.names ?? []) : []) {
      const value = given[key] ?? (Number.isFinite(passed[key]) && typeof passed[key] === "number" && FLOATS.has(key) ? new Float(passed[key]) : passed[key]);
      delete given[key];
      if (value !== undefined) given[key] = value;
    }
    return this.call(name, given, node);
  }

  /** Run a function of torch. @param {string} name @param {Record<string, PyValue>} given  its arguments by name @param {PyNode} node @returns {PyValue} */
  call(name, given, node) {
    const inputs = tensorsIn(Object.values(given));
    const [input] = inputs;
    const bare = name.replace(/_$/, "");
    const kind = CALLS[name]?.kind ?? CALLS[bare]?.kind ?? "";
    const { type, settings } = functionLayer(kind || bare, given, inputs);
    const step = this.#step({ name, type, settings }, inputs, node, null);
    step.operation = this.#described(name, given, inputs, node);
    const isShapeless = kindOf({ type }).pointwise || SAME.has(bare);
    const unknown = Object.entries(given).flatMap(([key, value]) => (isShapeless && key !== "input" && key !== "other" && key !== "tensors" ? [] : [value].flat())).find((value) => value instanceof Unknown || [value?.bounds].flat().some((each) => each instanceof Unknown));
    if (unknown) return this.#unknownStep(step, unknown instanceof Unknown ? unknown : new Unknown("an index is not known", node));
    if (!input) return new Unknown(`${this.run.text(node)} is not understood`, node);
    const special = FUNCTIONS[bare];
    if (!special && !isShapeless && !kindOf({ type }).window && !kindOf({ type }).fits) return this.#unknownStep(step, new Unknown(`what ${bare} gives is not known here`, node));
    const fresh = inputs.filter((each) => each.isParameter && !this.#used.has(each));
    fresh.forEach((each) => this.#used.add(each));
    step.numParameters = sumOf([...new Set(fresh)].map((each) => productOf(each.shape)));
    return this.#finish(step, inputs, () => {
      if (special) return special(given, inputs);
      if (isShapeless) return kept(broadcast(inputs.map((each) => each.shape)), input, true);
      const ran = runLayer(step.layer, input.shape);
      if (ran.misfit) refuse(ran.misfit.kind, ran.misfit);
      return new Shaped(ran.outputShape);
    }, bare !== name || given.inplace === true);
  }

  /** @param {Layer} layer @param {Shaped[]} inputs @param {PyNode | null} node @param {Instance | null} module @returns {CodeStep} */
  #step(layer, inputs, node, module) {
    const inputShapes = inputs.map((each) => [...each.shape]);
    return { layer, inputShape: inputShapes[0] ?? [], inputShapes, sources: inputs.map((each) => each.source), outputShape: [], numParameters: 0, node, module, isUnknown: false };
  }

  /** @param {CodeStep} step @param {Unknown} unknown */
  #unknownStep(step, unknown) {
    unknown.node ??= step.node;
    if (!this.run.isScript) {
      this.note(unknown);
      this.steps.push({ ...step, isUnknown: true, operation: step.operation ?? step.layer.type });
    }
    return unknown;
  }

  /** Work out what comes out of a step. @param {CodeStep} step @param {Shaped[]} inputs @param {() => Shaped | Shaped[] | undefined} compute @param {boolean} inPlace */
  #finish(step, inputs, compute, inPlace) {
    /** @type {PyValue} */
    let result;
    try {
      result = compute();
    } catch (error) {
      const { misfit } = /** @type {any} */ (error);
      if (!misfit && error instanceof TypeError) return this.#unknownStep(step, new Unknown(`${this.run.text(/** @type {PyNode} */ (step.node))} is not understood`, step.node));
      if (!misfit) throw error;
      throw new MisfitError({ ...step, misfit });
    }
    if (result instanceof Unknown) return this.#unknownStep(step, result);
    if (inPlace) result = inputs[0];
    const outputs = tensorsIn([result]);
    outputs.forEach((each) => (each.source = this.steps.length));
    if (!this.run.isScript) this.steps.push({ ...step, outputShape: [...outputs[0].shape] });
    return result;
  }

  /** Write a function with its settings, as lenet.shapes does. @param {string} name @param {Record<string, PyValue>} given @param {Shaped[]} inputs @param {PyNode} node */
  #described(name, given, inputs, node) {
    const rest = VARIADIC[name];
    if (name === "repeat") return `repeat(${[given.sizes].flat().map((size, index) => `argument${index + 1}=${pythonText(size)}`).join(", ")})`;
    if (rest) {
      const sizes = [given[rest] ?? []].flat();
      const written = node?.type === "CallExpression" ? argumentsOf(node).filter((each) => !each.name).map((each) => this.run.text(each.node)) : [];
      const isBatch = (/** @type {number} */ index) => written.length === sizes.length && /^(\w+\.(size\(0\)|shape\[0\])|len\(\w+\))$/.test(written[index]) && sizes[index] === inputs[0]?.shape[0];
      return `${name}(${sizes.map((size, index) => (isBatch(index) ? written[index] : pythonText(size))).join(", ")})`;
    }
    const shown = Object.entries(given).filter(([key, value]) => value !== null && value !== undefined && !tensorsIn([value]).length && !(value instanceof Unknown) && !(KEPT_SETTINGS.has(key) && value === USUAL[key]));
    return `${name}(${shown.map(([key, value]) => `${key}=${argumentText(value)}`).join(", ")})`;
  }
}

const MODULE_METHODS = new Set("append extend insert add_module register_module register_parameter register_buffer children named_children modules named_modules parameters named_parameters items keys values to cuda cpu eval train float half double apply requires_grad_ forward state_dict load_state_dict zero_grad".split(" "));

/** @param {PyValue} value @returns {string} */
function argumentText(value) {
  if (value?.bounds) return `slice(${value.bounds.map(pythonText).join(", ")})`;
  if (value?.ellipsis) return "Ellipsis";
  if (!Array.isArray(value)) return pythonText(value);
  const texts = value.map(argumentText);
  if (new Set(texts).size === 1) return texts[0];
  return "isList" in value ? `[${texts.join(", ")}]` : `(${texts.join(", ")})`;
}

/** The tensors in lists and tuples. @param {PyValue[]} values @returns {Shaped[]} */
function tensorsIn(values) {
  return values.flatMap((value) => (value instanceof Shaped ? [value] : Array.isArray(value) ? tensorsIn(value) : []));
}

/** Refuse settings with which no layer can be made, by a `ShapeError`. @param {string} type @param {Settings} settings */
function checkSizes(type, settings) {
  const sizes = Object.entries(settingsOf({ type, settings })).filter(([name, value]) => COUNTED_SETTINGS.test(name) && value !== null && typeof value !== "string");
  alongAxes(Object.fromEntries(sizes.filter(([, value]) => Array.isArray(value))));
  for (const [name, value] of sizes.filter(([, each]) => !Array.isArray(each))) checkNumber(name, value);
  const { in_channels: before, out_channels: after, groups = 1 } = settings;
  if (before % groups || after % groups) throw new ShapeError(`groups is ${groups}, which does not divide ${before} and ${after} channels`);
}

const COUNTED_SETTINGS = /^(in_|out_|num_features$|num_channels$|hidden_size$|kernel_size$|stride$|padding$|dilation$|output_padding$|groups$)/;

/** A setting as the calculator has it: a number with a point is a number. @param {PyValue} value */
function plain(value) {
  return value instanceof Float ? value : Array.isArray(value) ? [...value] : value;
}

/** The layer that does what a function does, with the sizes of the weights it is given. @param {string} type @param {Record<string, PyValue>} given @param {Shaped[]} inputs */
function functionLayer(type, given, inputs) {
  const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => !tensorsIn([value]).length));
  const { window, axes } = kindOf({ type });
  const [, weight] = inputs;
  if (type === "Linear" && weight) Object.assign(settings, { in_features: weight.shape[1], out_features: weight.shape[0], bias: inputs.length > 2 });
  if (axes && weight && (window === "conv" || window === "transpose")) {
    const [first, second] = weight.shape;
    const groups = given.groups ?? 1;
    const [before, after] = window === "conv" ? [second * groups, first] : [first, second * groups];
    Object.assign(settings, { in_channels: before, out_channels: after, kernel_size: weight.shape.slice(2), bias: inputs.length > 2 });
  }
  return { type, settings };
}

/** A tensor of another shape; where it is the input's, in the input's order. @param {number[]} shape @param {Shaped} input @param {boolean} isPointwise */
function kept(shape, input, isPointwise) {
  const made = new Shaped(shape);
  if (!input.isOrdered) made.strides = isPointwise && String(shape) === String(input.shape) ? input.strides : shape.length > 2 ? null : made.strides;
  return made;
}

/** The shape of tensors that meet number by number. @param {number[][]} shapes @param {string} [needs] */
function broadcast(shapes, needs = "the same sizes") {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const padded = shapes.map((shape) => [...Array(rank - shape.length).fill(1), ...shape]);
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = new Set(padded.map((shape) => shape[axis]).filter((size) => size !== 1));
    return sizes.size > 1 ? refuse("operands", { needs }) : [...sizes][0] ?? 1;
  });
}

/** @param {number} axis @param {number} rank */
function axisOf(axis, rank) {
  const found = axis < 0 ? axis + rank : axis;
  return Number.isInteger(axis) && found >= 0 && found < rank ? found : refuse("other");
}

/** Resolve −1 in a shape. @param {number[]} sizes @param {Shaped} input */
function resolved(sizes, input) {
  const known = productOf(sizes.filter((size) => size !== -1));
  const total = productOf(input.shape);
  const shape = sizes.map((size) => (size === -1 ? total / known : size));
  if (sizes.some((size) => !Number.isInteger(size)) || productOf(shape) !== total || shape.some((size) => !Number.isInteger(size))) {
    refuse("view", { sizes, needed: Math.max(productOf(sizes.slice(1)), 0), came: productOf(input.shape.slice(1)) });
  }
  return shape;
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

/** @param {Shaped} input @param {number[]} order */
function permuted(input, order) {
  const made = new Shaped(order.map((axis) => input.shape[axis]));
  made.strides = input.strides && order.map((axis) => /** @type {number[]} */ (input.strides)[axis]);
  return made;
}

/** @param {Record<string, PyValue>} given @param {Shaped[]} inputs */
function reduced({ dim, keepdim = false }, [{ shape }]) {
  const axes = new Set(dim === undefined || dim === null ? shape.keys() : [dim].flat().map((axis) => axisOf(axis, shape.length)));
  return new Shaped(keepdim ? shape.map((size, axis) => (axes.has(axis) ? 1 : size)) : shape.filter((_, axis) => !axes.has(axis)));
}

/** @param {Record<string, PyValue>} given @param {Shaped[]} inputs */
function extremes(given, inputs) {
  if (given.dim === undefined) return given.other || inputs.length > 1 ? new Shaped(broadcast(inputs.map(({ shape }) => shape))) : new Shaped([]);
  const pair = [reduced(given, inputs), reduced(given, inputs)];
  return Object.assign(pair, { values: pair[0], indices: pair[1] });
}

/** @param {number[]} shape @param {PyValue} factor @param {PyValue} size */
function resized(shape, factor, size) {
  const pixels = shape.slice(2).map((pixel, axis) => {
    const by = [factor].flat();
    return size !== undefined && size !== null ? [size].flat()[axis] ?? [size].flat()[0] : Math.floor(pixel * Number(by[axis] ?? by[0]));
  });
  return new Shaped(shape.length < 3 ? refuse("other") : [...shape.slice(0, 2), ...pixels]);
}

/** @param {number[]} shape @param {number} by */
function shuffled(shape, by) {
  const [channels, height, width] = shape.slice(-3);
  return channels % (by * by) ? refuse("other") : new Shaped([...shape.slice(0, -3), channels / (by * by), height * by, width * by]);
}

/** @param {number[]} shape @param {number[]} sizes  from the last axis on, before and behind */
function padded(shape, sizes) {
  if (sizes.length / 2 > shape.length) refuse("other");
  return new Shaped(shape.map((size, axis) => {
    const at = 2 * (shape.length - 1 - axis);
    return size + (sizes[at] ?? 0) + (sizes[at + 1] ?? 0);
  }));
}

/** @param {Record<string, PyValue>} _given @param {Shaped[]} inputs */
function matrixProduct(_given, inputs) {
  const [a, b] = inputs.map(({ shape }) => shape);
  if (a.length < 2 || b.length < 2) return new Unknown("a product with a row is not followed", null);
  const needs = "as many columns on the left as rows on the right";
  if (a.at(-1) !== b.at(-2)) refuse("operands", { needs });
  return new Shaped([...broadcast([a.slice(0, -2), b.slice(0, -2)], needs), /** @type {number} */ (a.at(-2)), /** @type {number} */ (b.at(-1))]);
}

/** @param {Record<string, PyValue>} given @param {Shaped[]} inputs */
function joined({ dim = 0 }, inputs) {
  const [first, ...others] = inputs.map(({ shape }) => shape);
  const axis = axisOf(dim, first.length);
  const fits = others.every((shape) => shape.length === first.length && shape.every((size, at) => at === axis || size === first[at]));
  if (!fits) refuse("operands", { needs: `the same size on every axis but axis ${dim}` });
  return new Shaped(first.map((size, at) => (at === axis ? size + sumOf(others.map((shape) => shape[at])) : size)));
}

/** @param {Record<string, PyValue>} given @param {Shaped[]} inputs */
function picked({ index }, [{ shape }]) {
  const list = Array.isArray(index) ? [...index] : [index];
  const taken = list.filter((each) => each !== null && !each?.ellipsis).length;
  const dots = list.findIndex((each) => each?.ellipsis);
  const all = { bounds: [null, null, null] };
  if (dots >= 0) list.splice(dots, 1, ...Array(Math.max(0, shape.length - taken)).fill(all));
  if (list.some((each) => each !== null && !each.bounds && !Number.isInteger(each))) return new Unknown("an index that is a tensor is not followed", null);
  /** @type {number[]} */
  const made = [];
  let axis = 0;
  for (const each of list) {
    if (each === null) made.push(1);
    else if (axis >= shape.length) refuse("other");
    else if (each.bounds) made.push(slicedSize(shape[axis++], each.bounds));
    else axisOf(each, shape[axis++]);
  }
  return new Shaped([...made, ...shape.slice(axis)]);
}

/** @param {number} size @param {(number | null)[]} slice */
function slicedSize(size, [from, to, step]) {
  const bound = (/** @type {number | null} */ value, /** @type {number} */ otherwise) => Math.min(size, Math.max(0, value === null ? otherwise : value < 0 ? value + size : value));
  return Math.max(0, Math.ceil((bound(to, size) - bound(from, 0)) / (step ?? 1)));
}

/** @param {Shaped} input @param {number} dim @param {number[]} sizes */
function parts({ shape }, dim, sizes) {
  return sizes.map((size) => new Shaped(shape.map((each, axis) => (axis === axisOf(dim, shape.length) ? size : each))));
}

/** @param {number} total @param {number} size */
function pieces(total, size) {
  return Array.from({ length: Math.ceil(total / size) }, (_, index) => Math.min(size, total - index * size));
}

const SAME = new Set("normalize local_response_norm instance_norm layer_norm group_norm zeros_like ones_like rand_like randn_like cumsum flip roll masked_fill bool long int half double type_as gt ge lt le eq ne remainder floor_divide rsqrt round sign maximum minimum erf log1p expm1 sin cos cpu cuda requires_grad_ where rpow type".split(" "));

/** What functions do that are no layers. @type {Record<string, (given: Record<string, any>, inputs: Shaped[]) => any>} */
const FUNCTIONS = {
  view(given, [input]) {
    const shape = resolved([given.shape].flat(), input);
    if (!input.strides) return new Unknown("whether the numbers lie in order is not known", null);
    return isViewable(input, shape) ? new Shaped(shape) : refuse("order");
  },
  reshape: (given, [input]) => new Shaped(resolved([given.shape].flat(), input)),
  flatten({ start_dim = 0, end_dim = -1 }, [{ shape }]) {
    const [from, to] = [axisOf(start_dim, shape.length), axisOf(end_dim, shape.length)];
    return new Shaped([...shape.slice(0, from), productOf(shape.slice(from, to + 1)), ...shape.slice(to + 1)]);
  },
  unflatten: ({ dim, sizes }, [input]) => unflattened(input.shape, dim, sizes),
  permute: ({ dims }, [input]) => (dims.length === input.shape.length ? permuted(input, dims.map((/** @type {number} */ axis) => axisOf(axis, dims.length))) : refuse("other")),
  transpose: ({ dim0, dim1 }, [input]) => swapped(input, dim0, dim1),
  swapaxes: ({ axis0, axis1 }, [input]) => swapped(input, axis0, axis1),
  t: (_given, [input]) => (input.shape.length === 2 ? swapped(input, 0, 1) : refuse("other")),
  squeeze({ dim }, [{ shape }]) {
    const axes = dim === undefined ? [...shape.keys()] : [dim].flat().map((axis) => axisOf(axis, shape.length));
    return new Shaped(shape.filter((size, axis) => size !== 1 || !axes.includes(axis)));
  },
  unsqueeze: ({ dim }, [{ shape }]) => new Shaped(shape.toSpliced(axisOf(dim, shape.length + 1), 0, 1)),
  contiguous: (_given, [{ shape }]) => new Shaped([...shape]),
  cat: joined, concat: joined, concatenate: joined,
  stack({ dim = 0 }, inputs) {
    const shapes = inputs.map(({ shape }) => shape);
    if (new Set(shapes.map(String)).size > 1) refuse("other");
    return new Shaped(shapes[0].toSpliced(axisOf(dim, shapes[0].length + 1), 0, inputs.length));
  },
  chunk: ({ chunks, dim = 0 }, [input]) => parts(input, dim, pieces(input.shape[axisOf(dim, input.shape.length)], Math.ceil(input.shape[axisOf(dim, input.shape.length)] / chunks))),
  split({ split_size_or_sections: size, dim = 0 }, [input]) {
    const total = input.shape[axisOf(dim, input.shape.length)];
    const sizes = Array.isArray(size) ? size : pieces(total, size);
    return sumOf(sizes) === total ? parts(input, dim, sizes) : refuse("other");
  },
  unbind: ({ dim = 0 }, [input]) => Array.from({ length: input.shape[axisOf(dim, input.shape.length)] }, () => reduced({ dim }, [input])),
  expand: ({ shape: sizes }, [{ shape }]) => new Shaped(broadcast([shape, sizes.map((/** @type {number} */ size, /** @type {number} */ axis) => (size === -1 ? shape[axis - sizes.length + shape.length] : size))])),
  expand_as: (_given, [, other]) => new Shaped([...other.shape]),
  view_as: (_given, [input, other]) => new Shaped(resolved(other.shape, input)),
  repeat: ({ sizes }, [{ shape }]) => new Shaped(sizes.map((/** @type {number} */ times, /** @type {number} */ axis) => times * (shape[axis - sizes.length + shape.length] ?? 1))),
  getitem: picked, mean: reduced, sum: reduced, amax: reduced, amin: reduced, std: reduced, var: reduced, norm: reduced, prod: reduced, argmax: reduced,
  max: extremes, min: extremes, matmul: matrixProduct, bmm: matrixProduct, mm: matrixProduct,
  interpolate: ({ scale_factor, size }, [{ shape }]) => resized(shape, scale_factor, size),
  upsample: ({ scale_factor, size }, [{ shape }]) => resized(shape, scale_factor, size),
  pad: ({ pad }, [{ shape }]) => padded(shape, pad),
  pixel_shuffle: ({ upscale_factor }, [{ shape }]) => shuffled(shape, upscale_factor),
};

/** @param {Shaped} input @param {number} first @param {number} second */
function swapped(input, first, second) {
  const order = [...input.shape.keys()];
  const [a, b] = [axisOf(first, order.length), axisOf(second, order.length)];
  [order[a], order[b]] = [order[b], order[a]];
  return permuted(input, order);
}

/** @param {number[]} shape @param {number} dim @param {any} sizes  one −1 at most */
function unflattened(shape, dim, sizes) {
  const axis = axisOf(dim, shape.length);
  const known = productOf([sizes].flat().filter((size) => size !== -1));
  const made = [sizes].flat().map((size) => (size === -1 ? shape[axis] / known : size));
  if (productOf(made) !== shape[axis] || !made.every(Number.isInteger)) refuse("other");
  return new Shaped(shape.toSpliced(axis, 1, ...made));
}

/** @param {number[]} shape @param {Settings} settings @param {boolean} isLong */
function recurrent(shape, { input_size, hidden_size: hidden, num_layers = 1, bidirectional, batch_first, proj_size = 0 }, isLong) {
  if (shape.length !== 3) return shape.length === 2 ? new Unknown("a sequence without a batch is not followed", null) : refuse("other");
  if (shape[2] !== input_size) refuse("features", { needed: input_size, came: shape[2] });
  if (proj_size) return new Unknown("a projection is not followed", null);
  const ways = bidirectional ? 2 : 1;
  const state = () => new Shaped([ways * num_layers, shape[batch_first ? 0 : 1], hidden]);
  return [new Shaped([shape[0], shape[1], ways * hidden]), isLong ? [state(), state()] : state()];
}

/** Parameters of layers that the table does not count. @type {Record<string, (settings: Settings) => number>} */
const LAYER_PARAMETERS = {
  LayerNorm: ({ normalized_shape, elementwise_affine = true, bias = true }) => (elementwise_affine ? (bias ? 2 : 1) * productOf(normalized_shape) : 0),
  PReLU: ({ num_parameters = 1 }) => num_parameters,
  Embedding: ({ num_embeddings, embedding_dim }) => num_embeddings * embedding_dim,
};

/** What layers do that the calculator does not know. @type {Record<string, (shape: number[], settings: Settings, inputs: Shaped[]) => any>} */
const LAYERS = {
  Unflatten: (shape, { dim, unflattened_size }) => unflattened(shape, dim, unflattened_size),
  Upsample: (shape, { scale_factor, size }) => resized(shape, scale_factor, size),
  UpsamplingNearest2d: (shape, { scale_factor, size }) => resized(shape, scale_factor, size),
  UpsamplingBilinear2d: (shape, { scale_factor, size }) => resized(shape, scale_factor, size),
  PixelShuffle: (shape, { upscale_factor }) => shuffled(shape, upscale_factor),
  PixelUnshuffle: (shape, { downscale_factor: by }) => new Shaped([...shape.slice(0, -3), ...shape.slice(-3).map((size, axis) => (axis ? size / by : size * by * by))]),
  ZeroPad2d: (shape, { padding }) => padded(shape, Array.isArray(padding) ? padding : Array(4).fill(padding)),
  ReflectionPad2d: (shape, { padding }) => padded(shape, Array.isArray(padding) ? padding : Array(4).fill(padding)),
  ReplicationPad2d: (shape, { padding }) => padded(shape, Array.isArray(padding) ? padding : Array(4).fill(padding)),
  LayerNorm: (shape, { normalized_shape: last }) => (String(shape.slice(-last.length)) === String(last) ? new Shaped(shape) : refuse("operands", { needs: `shapes that end in ${pythonText(last)}` })),
  LSTM: (shape, settings) => recurrent(shape, settings, true),
  GRU: (shape, settings) => recurrent(shape, settings, false),
  RNN: (shape, settings) => recurrent(shape, settings, false),
  Embedding: () => new Unknown("what Embedding gives for words is not followed", null),
  GLU: () => new Unknown("what GLU gives is not followed", null),
  Bilinear: () => new Unknown("what Bilinear gives is not followed", null),
  MultiheadAttention: () => new Unknown("what MultiheadAttention gives is not followed", null),
};
