// @ts-check
/** What expressions of Python give, by their names in the tree. A part that is unknown is thrown: so the whole is. */
import { BUILTINS, spelled, withValues } from "./builtins.js";
import { betweenCommas } from "./tree.js";
import { Float, Instance, PyFunction, PyList, Shaped, Unknown, known } from "./values.js";

const QUOTES = /^\w*("""|'''|"|')|("""|'''|"|')$/g;
const MOST_ITEMS = 10_000; // of a list that is repeated

/** @type {Expression} */
const listOf = (run, node, scope) => PyList.from(run.valuesOf(node.inside, scope));

/** @type {Expression} */
const comprehended = (run, node, scope) => run.comprehension(node.inside, scope);

/** @type {Record<string, Expression>} */
export const EXPRESSIONS = {
  Number(_run, { text }) {
    const digits = text.replaceAll("_", "");
    return /^0[xob]/i.test(digits) || !/[.e]/i.test(digits) ? Number(digits) : new Float(digits);
  },
  String: (_run, { text }) => text.replace(QUOTES, ""),
  ContinuedString: (run, { kids }, scope) => kids.map((kid) => known(run.evaluate(kid, scope))).join(""),
  FormatString(run, { code, kids, from, to }, scope) {
    const edges = [from, ...kids.map((kid) => kid.to)];
    const texts = edges.map((edge, index) => code.slice(edge, kids[index]?.from ?? to));
    const values = kids.map((kid) =>
      spelled(known(run.evaluate(kid.kids[1], scope)), kid.child("FormatSpec")?.text.slice(1)));
    return texts.map((text, index) => text + (values[index] ?? "")).join("").replace(QUOTES, "");
  },
  Boolean: (_run, { text }) => text === "True",
  None: () => null,
  Ellipsis: () => ({ ellipsis: true, toString: () => "Ellipsis" }),
  VariableName(run, node, scope) {
    const value = scope.find(node.text);
    if (value !== undefined) return value;
    return Object.hasOwn(BUILTINS, node.text) ? BUILTINS[node.text] : run.unknown(node, "is not defined here");
  },
  NamedExpression(run, { kids: [target, , value] }, scope) {
    run.assign([target], run.evaluate(value, scope), scope);
    return run.evaluate(target, scope);
  },
  ParenthesizedExpression: (run, { kids }, scope) => run.evaluate(kids[1], scope),
  TupleExpression: (run, node, scope) => run.valuesOf(node.inside, scope),
  ArrayExpression: listOf,
  SetExpression: listOf,
  ArrayComprehensionExpression: comprehended,
  ComprehensionExpression: comprehended,
  SetComprehensionExpression: comprehended,
  DictionaryComprehensionExpression: (run, node, scope) => new Map(run.comprehension(node.inside, scope)),
  DictionaryExpression(run, node, scope) {
    const value = (/** @type {PyNode} */ each) => run.evaluate(each, scope);
    const pairs = betweenCommas(node.inside).flatMap(([key, second, third]) =>
      (key.type === "**" ? [...known(value(second))] : [[value(key), value(third)]]));
    return new Map(pairs);
  },
  MemberExpression(run, node, scope) {
    const [first] = node.kids;
    const name = node.child("PropertyName")?.text;
    const isSuper = first.kids[0]?.text === "super" && first.arguments.length !== 1;
    const self = isSuper && scope.find("__self__");
    if (name && self) {
      const [below = scope.find("__class__")] = first.arguments.map((each) => known(run.evaluate(each.node, scope)));
      return run.attribute(self, name, node, below);
    }
    const owner = known(run.evaluate(first, scope));
    return name ? run.attribute(owner, name, node) : itemOf(run, owner, run.index(node, scope), node);
  },
  CallExpression: (run, node, scope) => run.callOf(node, scope),
  LambdaExpression: (_run, node, scope) => new PyFunction("lambda", node, scope, null),
  ConditionalExpression: (run, { kids: [yes, , test, , no] }, scope) =>
    run.evaluate(run.isTrue(known(run.evaluate(test, scope)), test) ? yes : no, scope),
  UnaryExpression(run, node, scope) {
    const [{ text }, operand] = node.kids;
    const value = known(run.evaluate(operand, scope));
    if (text === "not") return !run.isTrue(value, operand);
    if (value instanceof Shaped) return run.torch.call("neg", { input: value }, node);
    if (text === "+") return value;
    return value instanceof Float ? new Float(-value) : text === "~" ? ~value : -value;
  },
  BinaryExpression(run, node, scope) {
    const { kids: [first], last } = node;
    const operator = node.inside.map(({ text }) => text).join(" ");
    const left = run.evaluate(first, scope);
    if (operator === "and" || operator === "or") {
      return run.isTrue(known(left), first) === (operator === "and") ? run.evaluate(last, scope) : left;
    }
    const isComparison = COMPARED.test(operator) && first.type === "BinaryExpression";
    const isChained = isComparison && COMPARED.test(first.kids[1].text);
    if (isChained && left !== true) return left;
    const value = isChained ? run.evaluate(first.last, scope) : left;
    return binary(run, operator, value, run.evaluate(last, scope), node);
  },
};

const COMPARED = /^([<>]=?|[=!]=)$/;
/** @type {Record<string, string>} */
const OF_TENSORS = {
  "+": "add", "-": "sub", "*": "mul", "/": "div", "@": "matmul", "**": "pow", "//": "floor_divide", "%": "remainder",
  "<": "lt", ">": "gt", "<=": "le", ">=": "ge", "==": "eq", "!=": "ne",
};
/** @type {Record<string, (a: any, b: any) => any>} */
const OF_NUMBERS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "**": (a, b) => a ** b,
  "//": (a, b) => Math.floor(a / b), "%": (a, b) => a - Math.floor(a / b) * b,
  "&": (a, b) => a & b, "|": (a, b) => a | b, "<<": (a, b) => a << b, ">>": (a, b) => a >> b,
  "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
};

/** @param {PyValue} a @param {PyValue} b @returns {boolean} */
function isEqual(a, b) {
  const areLists = Array.isArray(a) && Array.isArray(b) && a.length === b.length;
  if (areLists) return a.every((value, index) => isEqual(value, b[index]));
  return a instanceof Number || b instanceof Number ? Number(a) === Number(b) : a === b;
}

/**
 * What an operator gives.
 *
 * @param {PyRun} run @param {string} operator @param {PyValue} left @param {PyValue} right @param {PyNode} node
 * @param {boolean} [isInPlace] @returns {PyValue}
 */
export function binary(run, operator, left, right, node, isInPlace = false) {
  if (operator.startsWith("is")) return (known(left) === right) === (operator === "is");
  const unknown = [left, right].find((value) => value instanceof Unknown);
  if (unknown) return run.torch.unknownCall(unknown, [left, right]);
  const isOfTensors = left instanceof Shaped || right instanceof Shaped;
  if (isOfTensors) return run.torch.operate(OF_TENSORS[operator], left, right, node, isInPlace);
  const isFormat = operator === "%" && typeof left === "string";
  if (isFormat) return withValues(left, /%%|%([^a-z%]*)[a-z]/g, [right].flat().map(known));
  if (operator === "==" || operator === "!=") return isEqual(left, right) === (operator === "==");
  if (operator.endsWith("in")) {
    const isIn = () => run.iterate(right, node).some((value) => isEqual(value, left));
    return (typeof right === "string" ? right.includes(left) : isIn()) === (operator === "in");
  }
  if (operator === "+" && Array.isArray(left) && Array.isArray(right)) return like(left, [...left, ...right]);
  const [list, times] = Array.isArray(left) ? [left, right] : [right, left];
  const isRepeated = operator === "*" && Array.isArray(list) && list.length * times <= MOST_ITEMS;
  if (isRepeated) return like(list, Array.from({ length: Math.max(0, times) }, () => [...list]).flat(1));
  const isText = typeof left === "string" && typeof right === "string";
  const compute = OF_NUMBERS[operator];
  if (isText ? operator !== "+" : !compute || !isNumber(left) || !isNumber(right)) return run.unknown(node);
  const value = isText ? left + right : compute(Number(left), Number(right));
  const isFloat = typeof value === "number" && (operator === "/" || left instanceof Float || right instanceof Float);
  return isFloat ? new Float(value) : value;
}

/** @param {PyValue} value */
const isNumber = (value) => ["number", "boolean"].includes(typeof value?.valueOf());

/** Values as the model is: a list, a text or a tuple. @param {PyValue} model @param {PyValue[]} values */
function like(model, values) {
  return model instanceof PyList ? PyList.from(values) : typeof model === "string" ? [...values].join("") : values;
}

/** @param {PyRun} run @param {PyValue} owner @param {PyValue} index @param {PyNode} node @returns {PyValue} */
function itemOf(run, owner, index, node) {
  if (owner instanceof Shaped) return run.torch.call("getitem", { input: owner, index }, node);
  known(index);
  const isModule = owner instanceof Instance && owner.type;
  if (isModule) known(owner.unknown);
  const names = isModule && typeof index === "string" ? owner.attributes : owner;
  const items = isModule ? owner.modules : owner;
  if (index?.bounds && (Array.isArray(items) || typeof items === "string")) {
    const [from, to, step] = index.bounds;
    if (step !== null && step !== -1) return run.unknown(node);
    /** @type {PyValue} */
    const picked = step === -1 ? [...items].reverse() : items.slice(from ?? undefined, to ?? undefined);
    if (!isModule) return like(items, picked);
    const args = owner.type === "Sequential" ? picked : [picked];
    return run.torch.filled(new Instance(owner.type, null, node), { args, named: new Map(), node });
  }
  const found = names instanceof Map ? names.get(index) : items.at(Number(index));
  return found === undefined ? run.unknown(node, "is not set") : found;
}
