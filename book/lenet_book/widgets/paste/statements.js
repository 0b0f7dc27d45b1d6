// @ts-check
/** What statements of Python do, by their names in the tree. */
import { binary } from "./expressions.js";
import { betweenCommas, oneLine, partsOf } from "./tree.js";
import { Instance, Library, PyClass, PyFunction, PyList, Scope, Stop } from "./values.js";

/** Statements that change nothing here. */
export const IDLE = /^((Pass|Delete|Scope|Print)Statement|TypeDefinition|[:;])$/;

/** @type {Statement} */
const all = (run, { kids }, scope) => run.executeAll(kids, scope);

/** @type {Statement} */
const bodyOf = (run, node, scope) => run.execute(/** @type {PyNode} */ (node.child("Body")), scope);

/** @param {PyNode} node  a definition */
const nameIn = (node) => node.child("VariableName")?.text ?? "";

/** @type {Record<string, Statement>} */
export const STATEMENTS = {
  Body: all,
  StatementGroup: all,
  WithStatement: bodyOf,
  TryStatement: bodyOf,
  BreakStatement: () => ({ how: "break" }),
  ContinueStatement: () => ({ how: "continue" }),
  ReturnStatement: (run, { kids: [, ...values] }, scope) =>
    ({ how: "return", value: values.length ? run.valueOf(values, scope) : null }),
  AssertStatement(run, node, scope) {
    const [, test] = node.kids;
    if (run.evaluate(test, scope) === false) throw new Stop(`${oneLine(test)} does not hold`, node);
  },
  RaiseStatement(_run, node) {
    throw new Stop("this raises an error", node);
  },
  ExpressionStatement(run, node, scope) {
    const value = run.evaluate(node.kids[0], scope);
    const isNew = scope === run.globals && value instanceof Instance && ![...scope.values()].includes(value);
    if (isNew) scope.set("model", value); // a network that stands by itself
  },
  AssignStatement(run, node, scope) {
    const kids = node.kids.filter(({ type }) => type !== "TypeDef");
    const parts = partsOf(kids, "AssignOp");
    const [targets, [values]] = [parts.slice(0, -1), parts.slice(-1)];
    if (!targets.length) return;
    const value = run.valueOf(values, scope);
    for (const each of targets) run.assign(each, value, scope);
  },
  UpdateStatement(run, node, scope) {
    const [target, { text }, ...values] = node.kids;
    const left = run.evaluate(target, scope);
    const right = run.valueOf(values, scope);
    const all = left instanceof PyList && text === "+=" ? PyList.from(run.iterate(right, node)) : right;
    run.assign([target], run.attempt(() => binary(run, text.slice(0, -1), left, all, node, true), node), scope);
  },
  IfStatement(run, { kids }, scope) {
    for (let at = 0; at < kids.length; at += 3) {
      if (kids[at].type === "else") return run.execute(kids[at + 1], scope);
      if (run.isTrue(run.evaluate(kids[at + 1], scope), kids[at + 1])) return run.execute(kids[at + 2], scope);
    }
    return undefined;
  },
  ForStatement(run, { kids }, scope) {
    const at = kids.findIndex(({ type }) => type === "Body");
    return run.repeat(run.turns(kids.slice(1, at), scope), kids[at], scope);
  },
  WhileStatement(run, { kids: [, test, body] }, scope) {
    const turns = function* () {
      while (run.isTrue(run.evaluate(test, scope), test)) yield;
    };
    return run.repeat(turns(), body, scope);
  },
  ImportStatement(run, node, scope) {
    const kids = node.kids.filter(({ type }) => type !== "(" && type !== ")");
    const at = kids.findIndex(({ type }) => type === "import");
    const from = kids.slice(1, at).map(({ text }) => text).join("");
    for (const part of betweenCommas(kids.slice(at + 1))) {
      const [path, as] = part.map(({ type, text }) => (type === "as" ? " " : text)).join("").split(" ");
      const first = path.split(".")[0];
      if (path === "*") continue; // layers are known by their bare names
      if (from) scope.set(as ?? path, run.attribute(new Library(from), path, node));
      else scope.set(as ?? first, new Library(as ? path : first));
    }
  },
  FunctionDefinition(_run, node, scope) {
    const outer = scope.cls ? /** @type {Scope} */ (scope.parent) : scope;
    scope.set(nameIn(node), new PyFunction(nameIn(node), node, outer, scope.cls));
  },
  ClassDefinition(run, node, scope) {
    const bases = node.arguments.filter(({ name }) => !name).map((base) => run.evaluate(base.node, scope));
    const inner = new Scope(scope);
    inner.cls = new PyClass(node, bases, inner);
    scope.set(nameIn(node), inner.cls);
    bodyOf(run, node, inner);
  },
  DecoratedStatement(run, node, scope) {
    const inner = node.last;
    run.execute(inner, scope);
    const made = scope.get(nameIn(inner));
    const words = node.kids.filter(({ type }) => type === "Decorator").map((kid) => kid.text.trim());
    const has = (/** @type {string} */ word) => words.some((each) => each.includes(word));
    if (made instanceof PyClass) made.isDataclass = has("dataclass");
    else Object.assign(made, { isProperty: has("property"), ...(has("@staticmethod") && { owner: null }) });
  },
};
