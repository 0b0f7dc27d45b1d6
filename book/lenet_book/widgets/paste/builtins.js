// @ts-check
/** What Python brings along: its functions, and the methods of its lists, texts and dictionaries. */
import { Float, Instance, Library, PyClass, PyList, Shaped, Unknown } from "./values.js";

const MAX_RANGE = 10_000;

/** @param {number[]} bounds */
function range(...bounds) {
  const [from, to, step] = bounds.length === 1 ? [0, bounds[0], 1] : [...bounds, 1];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= MAX_RANGE)) throw new RangeError("too many numbers");
  return Array.from({ length }, (_, index) => from + index * step);
}

/** @param {PyValue} value @returns {number} */
function lengthOf(value) {
  return value instanceof Map ? value.size : value instanceof Shaped ? value.shape[0] : value instanceof Instance ? value.children.length : value.length;
}

/** A function of numbers: it gives a whole number, or one with a point. @param {(...numbers: number[]) => number} compute @param {boolean} [isFloat] @returns {Builtin} */
const numeric = (compute, isFloat) => (_run, args) => {
  const value = compute(...args.map(Number));
  return isFloat ? new Float(value) : value;
};

/** @param {(a: number, b: number) => number} choose @returns {Builtin} */
const extreme = (choose) => (run, args, _named, node) => {
  const values = args.length > 1 ? args : run.iterate(args[0], node);
  return values.find((value) => value instanceof Unknown) ?? values.reduce((a, b) => (choose(a, b) === Number(a) ? a : b));
};

/** @param {PyValue[]} values */
const product = (values) => values.reduce((all, value) => all * Number(value), 1);

/** A builtin is unknown where what it is given is. @param {Record<string, Builtin>} table */
function guarded(table) {
  return Object.fromEntries(Object.entries(table).map(([name, call]) => [name, /** @type {Builtin} */ ((run, args, named, node) =>
    args.find((value) => value instanceof Unknown) ?? call(run, args, named, node))]));
}

/** @type {Record<string, Builtin>} */
export const BUILTINS = {
  print: () => null,
  ...guarded({
    range: (_run, args) => range(...args.map(Number)),
    len: (_run, [value]) => lengthOf(value),
    int: (_run, [value]) => Math.trunc(Number(value)),
    float: (_run, [value]) => new Float(value),
    bool: (run, [value], _named, node) => run.isTrue(value, node),
    str: (_run, [value]) => String(value),
    abs: numeric(Math.abs),
    round: numeric((value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value))),
    pow: numeric((base, power) => base ** power),
    max: extreme(Math.max),
    min: extreme(Math.min),
    sum: (run, [values, start], _named, node) => run.iterate(values, node).reduce((all, value) => all + value, start ?? 0),
    list: (run, [values], _named, node) => PyList.from(values === undefined ? [] : run.iterate(values, node)),
    tuple: (run, [values], _named, node) => [...(values === undefined ? [] : run.iterate(values, node))],
    set: (run, [values], _named, node) => PyList.from(new Set(values === undefined ? [] : run.iterate(values, node))),
    sorted: (run, [values], _named, node) => PyList.from(run.iterate(values, node)).sort((a, b) => a - b),
    reversed: (run, [values], _named, node) => PyList.from([...run.iterate(values, node)].reverse()),
    enumerate: (run, [values, start], named, node) => run.iterate(values, node).map((value, index) => [index + (start ?? named.get("start") ?? 0), value]),
    zip(run, lists, _named, node) {
      const all = lists.map((list) => run.iterate(list, node));
      return range(Math.min(...all.map((list) => list.length))).map((index) => all.map((list) => list[index]));
    },
    map: (run, [call, values], _named, node) => PyList.from(run.iterate(values, node).map((value) => run.call(call, [value], new Map(), node))),
    any: (run, [values], _named, node) => run.iterate(values, node).some((value) => run.isTrue(value, node)),
    all: (run, [values], _named, node) => run.iterate(values, node).every((value) => run.isTrue(value, node)),
    hasattr: (run, [owner, name], _named, node) => !(run.attribute(owner, name, node) instanceof Unknown),
    getattr(run, [owner, name, otherwise], _named, node) {
      const found = run.attribute(owner, name, node);
      return found instanceof Unknown && otherwise !== undefined ? otherwise : found;
    },
    setattr: (_run, [owner, name, value]) => void owner.attributes.set(name, value),
    isinstance: (_run, [value, types], _named, node) => (Array.isArray(types) ? types : [types]).some((type) => isOfType(value, type, node)),
    callable: (_run, [value]) => typeof value === "function" || value instanceof PyClass || value instanceof Library,
  }),
  dict: (_run, [values], named) => new Map([...(values ?? []), ...named]),
};

/** @param {PyValue} value @param {PyValue} type @param {PyNode} node */
function isOfType(value, type, node) {
  if (type instanceof PyClass) return Boolean(value instanceof Instance && value.cls?.lineage.includes(type));
  if (type instanceof Library) return value instanceof Instance ? [value.type, "Module"].includes(/** @type {string} */ (type.path.split(".").at(-1))) : value instanceof Shaped && type.path === "torch.Tensor";
  const { int, float, str, list, tuple, dict, bool } = BUILTINS;
  const tests = new Map([[int, Number.isInteger(value)], [float, value instanceof Float], [str, typeof value === "string"], [bool, typeof value === "boolean"],
    [list, value instanceof PyList], [tuple, Array.isArray(value) && !(value instanceof PyList)], [dict, value instanceof Map]]);
  return tests.get(type) ?? new Unknown("the type is not known", node);
}

/** Functions of other packages that compute with plain numbers. @type {Map<string, Builtin>} */
export const LIBRARIES = new Map(Object.entries({
  ...guarded({
    "math.floor": numeric(Math.floor), "math.ceil": numeric(Math.ceil), "math.sqrt": numeric(Math.sqrt, true), "math.log2": numeric(Math.log2, true),
    "math.log": numeric((value, base) => Math.log(value) / (base ? Math.log(base) : 1), true), "math.pow": numeric((base, power) => base ** power, true),
    "math.prod": (run, [values], _named, node) => product(run.iterate(values, node)),
    "numpy.prod": (run, [values], _named, node) => product(run.iterate(values, node)),
    "numpy.sqrt": numeric(Math.sqrt, true), "numpy.floor": numeric(Math.floor, true), "numpy.ceil": numeric(Math.ceil, true),
    "collections.OrderedDict": (_run, [pairs], named) => new Map([...(pairs ?? []), ...named]),
    "functools.partial": (run, [call, ...first], named) => /** @type {Builtin} */ ((_run, args, more, node) => run.call(call, [...first, ...args], new Map([...named, ...more]), node)),
  }),
}));

/** Methods by name, of whatever has one of this name. @type {Record<string, (owner: PyValue, args: PyValue[], run: PyRun, node: PyNode) => PyValue>} */
export const METHODS = {
  append: (list, [value]) => void list.push(value),
  extend: (list, [values], run, node) => void list.push(...run.iterate(values, node)),
  insert: (list, [at, value]) => void list.splice(at, 0, value),
  pop: (list, [at]) => (list instanceof Map ? list.get(at) : list.splice(at ?? -1, 1)[0]),
  index: (list, [value]) => list.indexOf(value),
  count: (list, [value]) => list.filter((/** @type {PyValue} */ each) => each === value).length,
  copy: (list) => (list instanceof Map ? new Map(list) : PyList.from(list)),
  numel: (shape) => product(shape),
  items: (map) => PyList.from(map),
  keys: (map) => PyList.from(map.keys()),
  values: (map) => PyList.from(map.values()),
  get: (map, [key, otherwise]) => (map.has(key) ? map.get(key) : otherwise),
  update: (map, [other]) => void [...other].forEach(([key, value]) => map.set(key, value)),
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  startswith: (text, [start]) => text.startsWith(start),
  format: (text, args) => args.reduce((all, value) => all.replace(/\{\w*\}/, String(value)), text),
  join: (text, [values]) => values.join(text),
};
