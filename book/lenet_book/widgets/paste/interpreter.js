// @ts-check
/**
 * Python as far as networks are written in it: classes, functions, loops, lists and numbers.
 *
 * Tensors have shapes and no numbers. What is not understood gives an `Unknown`, and so does all
 * that is made of it; where the way itself depends on one, a `Stop` ends the reading.
 */
import { kindOf } from "../calculator/kinds.js";
import { LIBRARIES, METHODS } from "./builtins.js";
import { EXPRESSIONS } from "./expressions.js";
import { IDLE, STATEMENTS } from "./statements.js";
import { LAYERS, Torch } from "./torch.js";
import { betweenCommas, oneLine, partsOf } from "./tree.js";
import {
  Instance, Library, Names, PyClass, PyFunction, PyList, Scope, Shaped, Stop, Unknown, boundTo,
} from "./values.js";

const FUEL = 60_000; // nodes that are read in one run
const MAX_CALLS = 120;
const FILLING = ["append", "extend", "insert", "update", "pop", "add_module"]; // methods
/** Names that are known, whether or not they are imported. */
const WITHOUT_IMPORTS = {
  ...Object.fromEntries(LAYERS.map((name) => [name, `torch.nn.${name}`])), OrderedDict: "collections.OrderedDict",
  torch: "torch", nn: "torch.nn", F: "torch.nn.functional", np: "numpy", math: "math",
  transforms: "torchvision.transforms", models: "torchvision.models", Variable: "torch.autograd.Variable",
  argparse: "argparse", functools: "functools", collections: "collections", typing: "typing",
  partial: "functools.partial",
};

/** Is something of a type in a piece of code? @param {PyNode} node @param {...string} types @returns {boolean} */
const holds = ({ type, kids }, ...types) => types.includes(type) || kids.some((kid) => holds(kid, ...types));

export class Interpreter {
  fuel = FUEL;
  /** In a script, what is not understood is passed over; in a network it ends the reading. */
  isScript = true;
  /** Objects whose constructors are being read. */
  numMaking = 0;
  globals = new Scope(null);
  /** Tensors that a script makes, and those that it gives to networks. @type {NotedShape[]} */
  noted = [];
  /** What layers and functions of torch do. */
  torch = new Torch(this);
  #calls = 0;

  constructor() {
    for (const [name, path] of Object.entries(WITHOUT_IMPORTS)) this.globals.set(name, new Library(path));
    this.globals.set("__name__", "__main__");
  }

  /** @param {PyNode} node @param {string} why */
  unknown(node, why = "is not understood") {
    return new Unknown(`${oneLine(node)} ${why}`, node);
  }

  /** Begin another run. @param {boolean} isScript */
  start(isScript) {
    Object.assign(this, { isScript, fuel: FUEL, torch: new Torch(this) });
  }

  // -------------------------------------------------------------------------- statements

  /** Run a statement. @param {PyNode} node @param {Scope} scope @returns {Leaving | undefined} */
  execute(node, scope) {
    const run = STATEMENTS[node.type];
    if (!run && !IDLE.test(node.type)) throw new Stop(`${node.text.split("\n")[0]} is not understood`, node);
    return run?.(this, node, scope) || undefined;
  }

  /** @param {PyNode[]} statements @param {Scope} scope */
  executeAll(statements, scope) {
    for (const statement of statements) {
      try {
        const left = this.execute(statement, scope);
        if (left) return left;
      } catch (error) {
        if (!this.isScript || this.fuel <= 0 || !(error instanceof Stop)) throw error;
        const isTurn = statement.type === "IfStatement" && holds(statement, "BreakStatement", "ContinueStatement");
        // Which turns there are of the loop around it is not known.
        if (isTurn && !holds(statement, "ForStatement", "WhileStatement")) throw error;
        const value = new Unknown(error.what, error.node);
        if (holds(statement, "ReturnStatement")) return /** @type {Leaving} */ ({ how: "return", value });
        this.#lose(statement, value, scope);
      }
    }
    return undefined;
  }

  /**
   * What code that did not run would have filled is not known, nor, in a network, what it would have set.
   *
   * @param {PyNode} node @param {Unknown} why @param {Scope} scope
   */
  #lose(node, why, scope) {
    const isSet = node.type === "AssignStatement" || node.type === "UpdateStatement";
    if (isSet) return this.assign(partsOf(node.kids, "AssignOp", "TypeDef", "UpdateOp")[0], why, scope);
    const inner = node.kids.filter(({ type }) => this.numMaking || type !== "AssignStatement");
    for (const kid of inner) this.#lose(kid, why, scope);
    if (!FILLING.includes(node.last?.text)) return;
    const [target] = node.kids;
    const filled = this.evaluate(target, scope);
    if (filled instanceof Instance) filled.unknown ??= why;
    if (filled instanceof PyList || filled instanceof Map) this.assign([target], why, scope);
  }

  /** Run a body again and again. @param {Iterable<void>} turns @param {PyNode} body @param {Scope} scope */
  repeat(turns, body, scope) {
    for (const _ of turns) {
      const left = this.execute(body, scope);
      if (left?.how === "break") break;
      if (left?.how === "return") return left;
    }
    return undefined;
  }

  /** Give each item of a loop to its targets. @param {PyNode[]} head  targets, "in", values @param {Scope} scope */
  *turns(head, scope) {
    const into = head.findIndex(({ type }) => type === "in");
    const [targets, values] = [head.slice(0, into), head.slice(into + 1)];
    for (const item of this.iterate(this.valueOf(values, scope), values[0])) yield this.assign(targets, item, scope);
  }

  /** @param {PyNode[]} targets  between commas @param {PyValue} value @param {Scope} scope @returns {void} */
  assign(targets, value, scope) {
    const [target] = targets;
    if (targets.some(({ type }) => type === ",")) this.#unpack(betweenCommas(targets), value, scope);
    else if (target.type === "VariableName") scope.set(target.text, value);
    else if (/^(Tuple|Array|Parenthesized)Expression$/.test(target.type)) this.assign(target.inside, value, scope);
    else if (target.type === "MemberExpression") {
      const owner = this.evaluate(target.kids[0], scope);
      const written = target.child("PropertyName")?.text ?? this.index(target, scope);
      const name = written < 0 && owner?.type ? owner.modules.length + written : written;
      const isEarly = owner?.type && !owner.isReady && value instanceof Instance && value.type;
      if (isEarly) throw new Stop(`super().__init__() has to run before ${oneLine(target)} is set`, target);
      const isLayer = owner instanceof Instance && !owner.cls;
      const odd = isLayer && [name, value].flat().find((each) => each instanceof Unknown);
      if (odd) owner.unknown ??= odd;
      else if (isLayer && kindOf(owner).settings[name]) owner.settings[name] = value;
      else if (owner instanceof Instance) owner.attributes.set(String(name), value);
      else if (owner instanceof Map) owner.set(name, value);
      else if (Array.isArray(owner)) owner[name] = value;
    }
  }

  /** @param {PyNode[][]} targets @param {PyValue} value @param {Scope} scope */
  #unpack(targets, value, scope) {
    const areImages = value instanceof Shaped && value.source === -1;
    if (areImages) throw new Stop("several inputs in one are not read here", targets[0][0]);
    const values = value instanceof Unknown ? targets.map(() => value) : [...this.iterate(value, targets[0][0])];
    const star = targets.findIndex(([first]) => first.type === "*");
    if (star >= 0) values.splice(star, 0, PyList.from(values.splice(star, values.length - targets.length + 1)));
    targets.forEach((target, index) => this.assign(target.slice(-1), values[index], scope));
  }

  // -------------------------------------------------------------------------- expressions

  /** @param {PyNode} node @param {Scope} scope @returns {PyValue} */
  evaluate(node, scope) {
    this.fuel -= 1;
    if (this.fuel < 0) throw new Stop("this takes more steps than the page takes", node);
    const run = EXPRESSIONS[node.type];
    return run ? this.attempt(() => run(this, node, scope), node) : this.unknown(node);
  }

  /** A value, or why it is not known. @param {() => PyValue} act @param {PyNode} node @returns {PyValue} */
  attempt(act, node) {
    try {
      return act();
    } catch (error) {
      const isImpossible = error instanceof TypeError || error instanceof RangeError;
      if (isImpossible) throw new Stop(`${node.text} is not understood`, node);
      if (error instanceof Stop || !(error instanceof Unknown)) throw error;
      return error;
    }
  }

  /** One value, or a tuple of several between commas. @param {PyNode[]} kids @param {Scope} scope @returns {PyValue} */
  valueOf(kids, scope) {
    const isTuple = kids.some(({ type }) => type === "," || type === "*");
    return isTuple ? this.valuesOf(kids, scope) : this.evaluate(kids[0], scope);
  }

  /** @param {PyNode[]} kids  between commas @param {Scope} scope @returns {PyValue[]} */
  valuesOf(kids, scope) {
    return betweenCommas(kids).flatMap(([first, second]) =>
      (first.type === "*" ? this.iterate(this.evaluate(second, scope), second) : [this.evaluate(first, scope)]));
  }

  /** Is a value true, as Python has it? @param {PyValue} value @param {PyNode} node */
  isTrue(value, node) {
    if (value instanceof Unknown) throw new Stop(`whether ${node.text} holds is not known (${value.what})`, node);
    if (value instanceof Shaped) throw new Stop(`whether ${node.text} holds depends on numbers`, node);
    return Boolean(value?.size ?? value?.length ?? value?.valueOf());
  }

  /** The items of a value, in order. @param {PyValue} value @param {PyNode} node @returns {PyValue[]} */
  iterate(value, node) {
    if (Array.isArray(value)) return value;
    if (typeof value === "string") return [...value];
    if (value instanceof Map) return [...value.keys()];
    if (value instanceof Instance && value.unknown) throw new Stop(value.unknown.what, value.unknown.node);
    if (value instanceof Instance && value.type === "ModuleDict") return [...value.attributes.keys()];
    if (value instanceof Instance && value.type) return value.modules;
    if (value instanceof Shaped && value.shape.length && value.shape[0] < 1000) {
      return Array.from(Array(value.shape[0]), (_, index) => this.torch.call("getitem", { input: value, index }, node));
    }
    throw new Stop(`${node.text} is not known${value instanceof Unknown ? ` (${value.what})` : ""}`, node);
  }

  /** @param {PyNode} member  an expression with brackets @param {Scope} scope */
  index(member, scope) {
    const kids = member.kids.slice(2, -1);
    const each = betweenCommas(kids).map((part) => {
      if (!part.some(({ type }) => type === ":")) return this.evaluate(part[0], scope);
      const bounds = [...partsOf(part, ":"), []].slice(0, 3)
        .map(([bound]) => (bound ? this.evaluate(bound, scope) : null));
      return { bounds, toString: () => `slice(${bounds.map((bound) => bound ?? "None").join(", ")})` };
    });
    return kids.some(({ type }) => type === ",") ? each : each[0];
  }

  /** @param {PyNode[]} kids  value, "for", targets, "in", values, "if", condition, … @param {Scope} scope */
  comprehension(kids, scope) {
    const inner = new Scope(scope);
    const found = new PyList();
    const [[value, , second], ...clauses] = partsOf(kids, "for", "if");
    const walk = (/** @type {PyNode[][]} */ [clause, ...rest]) => {
      const item = () => this.evaluate(value, inner);
      if (!clause) found.push(second ? [item(), this.evaluate(second, inner)] : item());
      else if (clause.length > 1) for (const _ of this.turns(clause, inner)) walk(rest);
      else if (this.isTrue(this.evaluate(clause[0], inner), clause[0])) walk(rest);
    };
    walk(clauses);
    return found;
  }

  // -------------------------------------------------------------------------- attributes

  /**
   * What an object has under a name; behind a class of its lineage, as `super()` has it.
   *
   * @param {PyValue} owner @param {string} name @param {PyNode} node @param {PyClass} [below] @returns {PyValue}
   */
  attribute(owner, name, node, below) {
    if (owner instanceof Library) return LIBRARIES[`${owner.path}.${name}`] ?? new Library(`${owner.path}.${name}`);
    if (owner instanceof Shaped) return this.torch.attribute(owner, name, node);
    if (Array.isArray(owner) && Object.hasOwn(owner, name)) return Object(owner)[name]; // of a named tuple
    if (owner instanceof Names && owner.has(name)) return owner.get(name);
    const isObject = owner instanceof PyClass || owner instanceof Instance;
    if (!isObject) return METHODS[name] ? boundTo(owner, METHODS[name]) : this.unknown(node);
    const [self, cls] = owner instanceof Instance ? [owner, owner.cls] : [null, owner];
    if (self && name === "__class__") return cls ?? this.unknown(node);
    const isOwn = !below && self?.attributes.has(name);
    const found = isOwn ? self?.attributes.get(name) : this.#bound(cls?.find(name, below), self, node);
    if (found !== undefined) return found;
    return (self?.type ? this.torch.moduleAttribute(self, name) : undefined) ?? this.unknown(node, "is not set");
  }

  /** What a class has, bound to an object. @param {PyValue} found @param {Instance | null} self @param {PyNode} node */
  #bound(found, self, node) {
    if (!self || !(found instanceof PyFunction && found.owner)) return found;
    const call = boundTo(self, (_self, args, run, its) => run.callFunction(found, { ...its, args: [self, ...args] }));
    return found.isProperty ? call([], this, { args: [], named: new Map(), node }) : call;
  }

  // -------------------------------------------------------------------------- calls

  /** @param {PyNode} node  a call @param {Scope} scope @returns {PyValue} */
  callOf(node, scope) {
    const called = this.evaluate(node.kids[0], scope);
    /** @type {PyCall} */
    const { args, named } = { args: [], named: new Map(), node, scope };
    for (const { name, star, node: given, part } of node.arguments) {
      if (part.some(({ type }) => type === "for")) args.push(this.comprehension(part, scope));
      else if (name) named.set(name, this.evaluate(given, scope));
      else if (star === "*") args.push(...this.iterate(this.evaluate(given, scope), given));
      else if (star) for (const [key, value] of this.evaluate(given, scope)) named.set(key, value);
      else args.push(this.evaluate(given, scope));
    }
    return this.call(called, { args, named, node, scope });
  }

  /** @param {PyValue} called @param {PyCall} given @returns {PyValue} */
  call(called, given) {
    if (called instanceof Unknown) return this.torch.unknownCall(called, given.args);
    if (called instanceof Library) return this.torch.callLibrary(called, given);
    if (called instanceof PyFunction) return this.callFunction(called, given);
    if (called instanceof PyClass) return this.#construct(called, given);
    if (called instanceof Instance) return this.#callInstance(called, given);
    return typeof called === "function" ? called(given.args, this, given) ?? null : this.unknown(given.node);
  }

  /** @param {PyFunction} called @param {PyCall} given @returns {PyValue} */
  callFunction(called, given) {
    const scope = new Scope(called.scope);
    if (called.owner) scope.set("__class__", called.owner).set("__self__", given.args[0]);
    this.#bind(called, given, scope);
    if (++this.#calls > MAX_CALLS) throw new Stop("this calls itself too often", given.node);
    try {
      const { type, last: body } = called.node;
      return type === "LambdaExpression" ? this.evaluate(body, scope) : this.execute(body, scope)?.value ?? null;
    } finally {
      this.#calls -= 1;
    }
  }

  /** Give arguments to parameters. @param {PyFunction} called @param {PyCall} given @param {Scope} scope */
  #bind(called, { args, named, node, scope: outer }, scope) {
    const [left, rest] = [[...args], new Map(named)];
    const written = node.arguments;
    const plain = written.filter((each) => !each.name);
    for (const { name, star, value } of called.node.parameters) {
      const isNamed = rest.has(name);
      const origin = isNamed ? written.find((each) => each.name === name) : plain.at(-left.length);
      const usual = () => (value ? this.evaluate(value, called.owner?.scope ?? called.scope)
        : new Unknown(`${name} is not given to ${called.name}`, node));
      const isGiven = !star && (isNamed || left.length > 0);
      if (outer && isGiven && origin && !origin.star) scope.origins.set(name, { node: origin.node, scope: outer });
      if (star) scope.set(name, star === "*" ? left.splice(0) : rest);
      else scope.set(name, isNamed ? rest.get(name) : isGiven ? left.shift() : usual());
      rest.delete(name);
    }
    const takesAll = called.node.parameters.some(({ star }) => star === "**");
    const [surplus] = [...(takesAll ? [] : rest.keys()), ...left.map(() => "one argument more")];
    if (surplus) throw new Stop(`${oneLine(node)} gives ${surplus}, which ${called.name} does not take`, node);
  }

  /** @param {PyClass} cls @param {PyCall} given */
  #construct(cls, given) {
    const { args, named, node } = given;
    const made = new Instance(cls.torchBase, cls, node);
    const init = cls.find("__init__");
    this.numMaking += 1;
    try {
      if (init) this.callFunction(init, { ...given, args: [made, ...args] });
      else if (made.type) this.torch.setUp(made, given);
      const names = cls.isDataclass ? cls.lineage.reverse().flatMap(({ scope }) => [...scope.keys()]) : [];
      const fields = names.filter((name) => !(cls.find(name) instanceof PyFunction));
      fields.forEach((name, index) => made.attributes.set(name, named.get(name) ?? args[index] ?? cls.find(name)));
    } finally {
      this.numMaking -= 1;
    }
    return made;
  }

  /** @param {Instance} called @param {PyCall} given */
  #callInstance(called, given) {
    const forward = called.cls?.find(called.type ? "forward" : "__call__");
    if (this.isScript && called.type && !this.numMaking) return this.torch.noteCall(called, given);
    if (!forward) return called.type ? this.torch.callModule(called, given) : this.unknown(given.node);
    const gives = this.callFunction(forward, { ...given, args: [called, ...given.args] });
    return this.torch.noteGiven(gives, given.node);
  }
}
