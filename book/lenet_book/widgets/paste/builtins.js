// @ts-check
/** What Python brings along: its functions, and the methods of its lists, texts and dictionaries. */
import { Float, Instance, Library, Names, PyClass, PyList, Shaped, Unknown, known } from "./values.js";

const MAX_RANGE = 10_000;

/** A value as text, as wide as a format such as "02d" asks for. @param {PyValue} value @param {string} [spec] */
export function spelled(value, spec = "") {
  const [, zero, width] = /** @type {RegExpExecArray} */ (/^[<>^+ -]?(0?)(\d*)/.exec(spec));
  return String(value).padStart(Number(width), zero || " ");
}

/** A text with values in its fields. @param {string} text @param {RegExp} field @param {PyValue[]} values */
export function withValues(text, field, values) {
  const left = values.values();
  return text.replace(field, (found, spec) => (found === "%%" ? "%" : spelled(left.next().value, spec)));
}

/** @param {number[]} bounds */
function range(...bounds) {
  const [from, to, step] = bounds.length === 1 ? [0, bounds[0], 1] : [...bounds, 1];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= MAX_RANGE)) throw new RangeError("too many numbers");
  return Array.from({ length }, (_, index) => from + index * step);
}

/** @param {(...numbers: number[]) => number} compute @param {boolean} [isFloat] @returns {Builtin} */
const numeric = (compute, isFloat) => (args) => {
  const value = compute(...args.map(Number));
  return isFloat ? new Float(value) : value;
};

/** A function of the items of what it is given. @param {Builtin} compute @returns {Builtin} */
const ofItems = (compute) => ([values, ...more], run, given) => (more.length || given.named.size
  ? run.unknown(given.node) : compute(values === undefined ? [] : [...run.iterate(values, given.node)], run, given));

/** @param {(a: number, b: number) => number} choose @returns {Builtin} */
const extreme = (choose) => (args, run, { node, named }) => {
  const values = [...(args.length > 1 ? args : run.iterate(args[0], node))].map(known);
  return named.size ? run.unknown(node) : values.reduce((a, b) => (choose(a, b) === Number(a) ? a : b));
};

const product = ofItems((values) => values.reduce((all, value) => all * Number(known(value)), 1));

/** @type {Builtin} */
const dictionary = ([values], _run, { named }) => new Map([...(values ?? []), ...named]);

/** Settings as attributes: of a parser of arguments, those that it takes, at their defaults. @type {Builtin} */
const names = ([values], _run, { named }) => new Names([...(values instanceof Map ? values : []), ...named]);

/** Functions that are unknown where what they are given is. @param {Record<string, Builtin>} table */
function guarded(table) {
  /** @type {(call: Builtin) => Builtin} */
  const guard = (call) => (args, run, given) => call(args.map(known), run, given);
  return Object.fromEntries(Object.entries(table).map(([name, call]) => [name, guard(call)]));
}

/** @type {Record<string, Builtin>} */
export const BUILTINS = {
  print: () => null,
  dict: dictionary,
  ...guarded({
    range: (args) => range(...args.map(Number)),
    len: ([value]) => (value instanceof Shaped ? value.shape[0] : value.size ?? (value.modules ?? value).length),
    int: numeric(Math.trunc),
    float: numeric(Number, true),
    bool: ([value], run, { node }) => run.isTrue(value, node),
    str: ([value]) => String(value),
    abs: numeric(Math.abs),
    round: numeric((value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value))),
    pow: numeric(Math.pow),
    max: extreme(Math.max),
    min: extreme(Math.min),
    sum: ofItems((items) => items.reduce((all, value) => all + known(value), 0)),
    list: ofItems((items) => PyList.from(items)),
    tuple: ofItems((items) => items),
    set: ofItems((items) => PyList.from(new Set(items))),
    sorted: ofItems((items) => PyList.from(items).sort((a, b) => a - b)),
    reversed: ofItems((items) => items.reverse()),
    any: ofItems((items, run, { node }) => items.some((value) => run.isTrue(value, node))),
    all: ofItems((items, run, { node }) => items.every((value) => run.isTrue(value, node))),
    enumerate: ([values, start], run, { named, node }) =>
      run.iterate(values, node).map((value, index) => [index + (start ?? named.get("start") ?? 0), value]),
    zip(lists, run, { node }) {
      const all = lists.map((list) => run.iterate(list, node));
      return range(Math.min(...all.map((list) => list.length))).map((index) => all.map((list) => list[index]));
    },
    map: ([called, values], run, given) =>
      PyList.from(run.iterate(values, given.node).map((value) => run.call(called, { ...given, args: [value] }))),
    next: ([values], run, { node }) => run.iterate(values, node)[0],
    hasattr: ([owner, name], run, { node }) => !(run.attribute(owner, name, node) instanceof Unknown),
    getattr([owner, name, otherwise], run, { node }) {
      const found = run.attribute(owner, name, node);
      return found instanceof Unknown && otherwise !== undefined ? otherwise : found;
    },
    setattr: ([owner, name, value]) => void owner.attributes.set(name, value),
    type([value], run, { node }) {
      const types = ["int", "float", "bool", "str", "list", "dict", "tuple"];
      const found = types.find((type) => isOfType(value, BUILTINS[type]));
      const isClass = value instanceof PyClass || value instanceof Library;
      return value.cls ?? (isClass ? BUILTINS.type : found ? BUILTINS[found] : run.unknown(node));
    },
    isinstance: ([value, types]) => [types].flat().some((type) => isOfType(value, type)),
    callable: ([value]) => typeof value === "function" || value instanceof PyClass || value instanceof Library,
  }),
};

/** @param {PyValue} value @param {PyValue} type */
function isOfType(value, type) {
  if (type instanceof PyClass) return Boolean(value instanceof Instance && value.cls?.lineage.includes(type));
  if (value instanceof Instance) return [value.type, "Module"].includes(type.name);
  const { int, float, str, list, tuple, dict, bool } = BUILTINS;
  return new Map([
    [int, Number.isInteger(value)], [float, value instanceof Float], [bool, typeof value === "boolean"],
    [str, typeof value === "string"], [list, value instanceof PyList], [dict, value instanceof Map],
    [tuple, Array.isArray(value) && !(value instanceof PyList)],
  ]).get(type) ?? (value instanceof Shaped && type.name === "Tensor");
}

/** Functions of other packages that compute with plain numbers. @type {Record<string, Builtin>} */
export const LIBRARIES = { "typing.cast": /** @type {Builtin} */ (([, value]) => value), ...guarded({
  "math.floor": numeric(Math.floor), "math.ceil": numeric(Math.ceil), "math.sqrt": numeric(Math.sqrt, true),
  "math.log2": numeric(Math.log2, true), "math.pow": numeric(Math.pow, true), "math.prod": product,
  "math.log": numeric((value, base) => Math.log(value) / (base ? Math.log(base) : 1), true),
  "numpy.prod": product, "numpy.sqrt": numeric(Math.sqrt, true),
  "numpy.floor": numeric(Math.floor, true), "numpy.ceil": numeric(Math.ceil, true),
  "collections.OrderedDict": dictionary, "torch.cuda.is_available": () => false,
  "types.SimpleNamespace": names, "argparse.Namespace": names, "easydict.EasyDict": names,
  "argparse.ArgumentParser": names,
  "dataclasses.field": (_args, run, { named, node }) => (named.has("default_factory")
    ? run.call(named.get("default_factory"), { args: [], named: new Map(), node }) : named.get("default")),
  "functools.partial": ([called, ...first], run, { named }) => /** @type {Builtin} */ ((args, _run, given) =>
    run.call(called, { ...given, args: [...first, ...args], named: new Map([...named, ...given.named]) })),
}) };

/** Methods by name, of whatever has one of this name. @type {Record<string, Method>} */
export const METHODS = {
  append: (list, [value]) => void list.push(value),
  extend: (list, [values], run, { node }) => void list.push(...run.iterate(values, node)),
  insert: (list, [at, value]) => void list.splice(at, 0, value),
  pop(list, [at, otherwise]) {
    if (!(list instanceof Map)) return list.splice(at ?? -1, 1)[0];
    const value = list.has(at) ? list.get(at) : otherwise;
    list.delete(at);
    return value;
  },
  index: (list, [value]) => list.indexOf(value),
  count: (list, [value]) => list.filter((/** @type {PyValue} */ each) => each === value).length,
  copy: (list) => (list instanceof Map ? new Map(list) : PyList.from(list)),
  numel: (shape, _args, run, call) => product([shape], run, call),
  items: (map) => PyList.from(map),
  keys: (map) => PyList.from(map.keys()),
  values: (map) => PyList.from(map.values()),
  get: (map, [key, otherwise]) => (map.has(key) ? map.get(key) : otherwise),
  update: (map, [other]) => void [...other].forEach(([key, value]) => map.set(key, value)),
  add_argument(parser, flags, _run, { named }) {
    const flag = flags.find((each) => each.startsWith("--")) ?? flags[0];
    const otherwise = named.get("action") === "store_true" ? false : null;
    parser.set(named.get("dest") ?? flag.replace(/^-+/, "").replaceAll("-", "_"), named.get("default") ?? otherwise);
  },
  parse_args: (parser) => parser,
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  startswith: (text, [start]) => text.startsWith(start),
  format: (text, args) => withValues(text, /\{\w*:?([^}]*)\}/g, args),
  join: (text, [values]) => values.join(text),
};
