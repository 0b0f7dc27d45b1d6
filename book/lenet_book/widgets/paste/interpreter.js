// @ts-check
/**
 * Python as far as networks are written in it: classes, functions, loops, lists and numbers.
 *
 * Tensors have shapes and no numbers. What is not understood gives an `Unknown`, and so does all
 * that is made of it; where the way itself depends on one, a `Stop` ends the reading.
 */
import { argumentsOf, betweenCommas, childOf, inside } from "./tree.js";
import { BUILTINS, LIBRARIES, METHODS } from "./builtins.js";
import { Float, Instance, Library, Method, PyClass, PyFunction, PyList, Scope, Shaped, Unknown } from "./values.js";

const FUEL = 60_000; // nodes that are read in one run
const MAX_CALLS = 120;

/** Nothing behind this can be known. */
export class Stop extends Error {
  /** @param {string} what @param {PyNode} node */
  constructor(what, node) {
    super(what);
    this.unknown = new Unknown(what, node);
  }
}

/** `super()` in a method. */
class Super {
  /** @param {Instance} self @param {PyClass} owner */
  constructor(self, owner) {
    this.self = self;
    this.owner = owner;
  }
}

export class Interpreter {
  fuel = FUEL;
  /** In a script, what is not understood is passed over; in a network it ends the reading. */
  isScript = true;
  /** Objects whose constructors are being read. */
  numMaking = 0;
  globals = new Scope(null);
  /** Where the last call was written. */
  scope = this.globals;
  #calls = 0;

  /** @param {string} code @param {Torch} torch  what layers and functions of torch do */
  constructor(code, torch) {
    this.code = code;
    this.torch = torch;
    const usual = { nn: "torch.nn", F: "torch.nn.functional", torch: "torch", np: "numpy", math: "math", OrderedDict: "collections.OrderedDict" };
    const layers = torch.layerNames.map((name) => [name, `torch.nn.${name}`]);
    for (const [name, path] of [...layers, ...Object.entries(usual)]) this.globals.names.set(name, new Library(path));
    this.globals.names.set("__name__", "__main__");
  }

  /** @param {PyNode} node */
  text(node) {
    return this.code.slice(node.from, node.to);
  }

  // -------------------------------------------------------------------------- statements

  /** Run a statement. @param {PyNode} node @param {Scope} scope @returns {{ how: string, value?: PyValue } | undefined}  how it left: "return", "break", "continue" */
  execute(node, scope) {
    const run = STATEMENTS[node.type];
    if (!run && !IDLE.has(node.type)) throw new Stop(`${this.text(node).split("\n")[0]} is not understood`, node);
    return run?.(this, node, scope) || undefined;
  }

  /** @param {PyNode[]} statements @param {Scope} scope */
  executeAll(statements, scope) {
    for (const statement of statements) {
      const left = this.isScript ? this.#tolerated(statement, scope) : this.execute(statement, scope);
      if (left) return left;
    }
    return undefined;
  }

  /** @param {PyNode} statement @param {Scope} scope */
  #tolerated(statement, scope) {
    try {
      return this.execute(statement, scope);
    } catch (error) {
      if (this.fuel <= 0 || !(error instanceof Stop || this.torch.isMisfit(error))) throw error;
      const why = error instanceof Stop ? error.unknown : new Unknown(`${this.text(statement)} does not fit`, statement);
      if (statement.type === "AssignStatement") this.assign(statement.kids[0], why, scope);
      return undefined;
    }
  }

  /** @param {PyNode} target @param {PyValue} value @param {Scope} scope @returns {void} */
  assign(target, value, scope) {
    if (target.type === "VariableName") scope.names.set(target.text, value);
    else if (/^(Tuple|Array|Parenthesized)Expression$/.test(target.type)) this.assignAll(betweenCommas(inside(target)), value, scope);
    else if (target.type === "MemberExpression") {
      const owner = this.evaluate(target.kids[0], scope);
      const name = childOf(target, "PropertyName")?.text;
      if (name && owner instanceof Instance) owner.attributes.set(name, value);
      else if (!name && owner instanceof Map) owner.set(this.index(target, scope), value);
      else if (!name && Array.isArray(owner)) owner[this.index(target, scope)] = value;
      else if (!name && owner instanceof Instance) owner.attributes.set(String(this.index(target, scope)), value);
    }
  }

  /** @param {PyNode[][]} targets @param {PyValue} value @param {Scope} scope */
  assignAll(targets, value, scope) {
    const values = value instanceof Unknown ? null : this.iterate(value, targets[0][0]);
    const star = targets.findIndex(([first]) => first.type === "*");
    targets.forEach((target, index) => {
      const last = star >= 0 && index > star ? (values?.length ?? 0) - targets.length + index : index;
      const taken = index === star ? PyList.from(values?.slice(star, values.length - targets.length + star + 1) ?? []) : values?.[last];
      this.assign(/** @type {PyNode} */ (target.at(-1)), values ? taken : value, scope);
    });
  }

  // -------------------------------------------------------------------------- expressions

  /** @param {PyNode} node @param {Scope} scope @returns {PyValue} */
  evaluate(node, scope) {
    this.fuel -= 1;
    if (this.fuel < 0) throw new Stop("this takes more steps than the page takes", node);
    const run = EXPRESSIONS[node.type];
    return run ? run(this, node, scope) : new Unknown(`${this.text(node)} is not understood`, node);
  }

  /** Is a value true, as Python has it? @param {PyValue} value @param {PyNode} node */
  isTrue(value, node) {
    if (value instanceof Unknown) throw new Stop(`whether ${this.text(node)} holds is not known (${value.what})`, node);
    if (value instanceof Shaped) throw new Stop(`whether ${this.text(node)} holds depends on numbers`, node);
    if (value instanceof Map) return value.size > 0;
    return value instanceof Number ? value.valueOf() !== 0 : Array.isArray(value) ? value.length > 0 : Boolean(value);
  }

  /** The items of a value, in order. @param {PyValue} value @param {PyNode} node @returns {PyValue[]} */
  iterate(value, node) {
    if (Array.isArray(value)) return value;
    if (typeof value === "string") return [...value];
    if (value instanceof Map) return [...value.keys()];
    if (value instanceof Instance && value.type) return value.type === "ModuleDict" ? [...value.attributes.keys()] : value.children.map(([, child]) => child);
    if (value instanceof Shaped && value.shape.length && value.shape[0] < 1000) {
      return Array.from({ length: value.shape[0] }, (_, index) => this.torch.call("getitem", { input: value, index }, node));
    }
    throw new Stop(`${this.text(node)} is not known${value instanceof Unknown ? ` (${value.what})` : ""}`, node);
  }

  /** @param {PyNode} member  an expression with brackets @param {Scope} scope */
  index(member, scope) {
    const parts = betweenCommas(member.kids.slice(2, -1));
    const each = parts.map((part) => {
      if (!part.some((kid) => kid.type === ":")) return this.evaluate(part[0], scope);
      /** @type {PyValue[]} */
      const bounds = [null];
      for (const kid of part) {
        if (kid.type === ":") bounds.push(null);
        else bounds[bounds.length - 1] = this.evaluate(kid, scope);
      }
      return { bounds: [...bounds, null, null].slice(0, 3) };
    });
    return member.kids.some((kid) => kid.type === ",") ? each : each[0];
  }

  /** @param {PyValue} owner @param {string} name @param {PyNode} node @returns {PyValue} */
  attribute(owner, name, node) {
    if (owner instanceof Unknown) return owner;
    if (owner instanceof Library) return LIBRARIES.has(`${owner.path}.${name}`) ? LIBRARIES.get(`${owner.path}.${name}`) : new Library(`${owner.path}.${name}`);
    if (owner instanceof Super) return this.#inherited(owner, name, node);
    if (owner instanceof Shaped) return this.torch.attribute(owner, name, node);
    if (owner instanceof PyClass) return owner.find(name)?.[0] ?? new Unknown(`${this.text(node)} is not set`, node);
    if (owner instanceof Instance) {
      if (owner.attributes.has(name)) return owner.attributes.get(name);
      const found = owner.cls?.find(name)?.[0];
      if (found instanceof PyFunction && !found.owner) return found;
      if (found instanceof PyFunction) return found.isProperty ? this.call(new Method(owner, found), [], new Map(), node) : new Method(owner, found);
      if (found !== undefined) return found;
      if (owner.type && name in owner.settings) return owner.settings[name];
      return owner.type ? this.torch.moduleAttribute(owner, name, node) : new Unknown(`${this.text(node)} is not set`, node);
    }
    return new Method(owner, name);
  }

  /** @param {Super} parent @param {string} name @param {PyNode} node */
  #inherited({ self, owner }, name, node) {
    const behind = /** @type {PyClass} */ (self.cls).lineage;
    for (const cls of behind.slice(behind.indexOf(owner) + 1)) {
      const found = cls.scope.names.get(name);
      if (found !== undefined) return found instanceof PyFunction ? new Method(self, found) : found;
    }
    if (name === "__init__") return new Method(self, "__init__");
    return name === "forward" ? new Method(self, "forward") : new Unknown(`${this.text(node)} is not understood`, node);
  }

  /** @param {PyNode} node  a call @param {Scope} scope @returns {PyValue} */
  callOf(node, scope) {
    const callee = node.kids[0];
    if (callee.text === "super" && !scope.holding("super")) {
      const holder = scope.holding("__self__");
      if (holder) return new Super(holder.names.get("__self__"), holder.names.get("__owner__"));
    }
    const called = this.evaluate(callee, scope);
    /** @type {PyValue[]} */
    const args = [];
    /** @type {Map<string, PyValue>} */
    const named = new Map();
    for (const { name, star, node: given, part } of argumentsOf(node)) {
      if (part.some((kid) => kid.type === "for")) args.push(PyList.from(this.comprehension(part, scope)));
      else if (name) named.set(name, this.evaluate(given, scope));
      else if (!star) args.push(this.evaluate(given, scope));
      else if (star === "*") args.push(...this.iterate(this.evaluate(given, scope), given));
      else {
        const mapping = this.evaluate(given, scope);
        if (!(mapping instanceof Map)) throw new Stop(`${this.text(given)} is not known`, given);
        for (const [key, value] of mapping) named.set(key, value);
      }
    }
    this.scope = scope;
    return this.call(called, args, named, node);
  }

  /** @param {PyValue} called @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node @returns {PyValue} */
  call(called, args, named, node) {
    if (called instanceof Unknown) return this.torch.unknownCall(called, args, node);
    if (called instanceof Library) return this.torch.callLibrary(called.path, args, named, node);
    if (called instanceof PyFunction) return this.#callFunction(called, args, named, node);
    if (called instanceof PyClass) return this.#construct(called, args, named, node);
    if (called instanceof Instance) return this.#callInstance(called, args, named, node);
    if (typeof called === "function") return this.#guarded(() => called(this, args, named, node), node);
    if (!(called instanceof Method)) return new Unknown(`${this.text(node)} is not understood`, node);
    const { owner, method } = called;
    if (method instanceof PyFunction) return this.#callFunction(method, [owner, ...args], named, node);
    if (owner instanceof Shaped) return this.torch.callMethod(owner, method, args, named, node);
    if (owner instanceof Instance && owner.type) return this.torch.callModuleMethod(owner, method, args, named, node);
    const run = METHODS[method];
    return run ? this.#guarded(() => run(owner, args, this, node), node) : new Unknown(`${this.text(node)} is not understood`, node);
  }

  /** Call what is Python's own; what it cannot do is not understood. @param {() => PyValue} call @param {PyNode} node */
  #guarded(call, node) {
    try {
      return call() ?? null;
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw new Stop(`${this.text(node)} is not understood`, node);
      throw error;
    }
  }

  /** @param {any} called @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node */
  #callFunction(called, args, named, node) {
    const scope = new Scope(called.scope);
    const list = childOf(called.node, "ParamList");
    const parts = list ? betweenCommas(called.node.type === "LambdaExpression" ? list.kids : inside(list)) : [];
    const rest = new Map(named);
    const written = node.type === "CallExpression" ? argumentsOf(node) : [];
    const caller = this.scope;
    let position = 0;
    let onlyNamed = false;
    for (const part of parts) {
      const [first, second] = part;
      if (first.type === "/") continue;
      if (first.type === "**") scope.names.set(second.text, new Map(rest));
      else if (first.type === "*") {
        onlyNamed = true;
        if (second) scope.names.set(second.text, args.slice(position));
      } else {
        const given = rest.has(first.text) ? rest.get(first.text) : onlyNamed ? undefined : args[position++];
        rest.delete(first.text);
        const at = part.findIndex((kid) => kid.type === "AssignOp");
        const missing = () => (at > 0 ? this.evaluate(part[at + 1], called.scope) : new Unknown(`${first.text} is not given to ${called.name}`, node));
        scope.names.set(first.text, given === undefined ? missing() : given);
        const [origin] = written.filter(({ name, star }, index) => !star && (name ? name === first.text : index === position - 1 - args.length + numPlain(written)));
        if (origin) scope.origins.set(first.text, { node: origin.node, scope: caller });
      }
    }
    if (called.owner) scope.names.set("__owner__", called.owner).set("__self__", args[0]);
    if (++this.#calls > MAX_CALLS) throw new Stop("this calls itself too often", node);
    try {
      const body = /** @type {PyNode} */ (called.node.kids.at(-1));
      if (called.node.type === "LambdaExpression") return this.evaluate(body, scope);
      return this.executeAll(body.kids, scope)?.value ?? null;
    } finally {
      this.#calls -= 1;
    }
  }

  /** @param {PyClass} cls @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node */
  #construct(cls, args, named, node) {
    const made = new Instance(cls.torchBase, cls, node);
    const [init] = cls.find("__init__") ?? [];
    this.numMaking += 1;
    if (init) this.#callFunction(init, [made, ...args], named, node);
    else if (cls.isDataclass) {
      const fields = cls.lineage.reverse().flatMap((each) => [...each.scope.names.keys()]);
      fields.forEach((name, index) => made.attributes.set(name, named.get(name) ?? args[index] ?? cls.find(name)?.[0]));
    } else if (made.type) this.torch.callModuleMethod(made, "__init__", args, named, node);
    this.numMaking -= 1;
    return made;
  }

  /** @param {Instance} called @param {PyValue[]} args @param {Map<string, PyValue>} named @param {PyNode} node */
  #callInstance(called, args, named, node) {
    const [forward] = called.cls?.find(called.type ? "forward" : "__call__") ?? [];
    if (this.isScript && called.type && !this.numMaking) return this.torch.noteCall(called, args, node);
    if (!forward && !called.type) return new Unknown(`${this.text(node)} is not understood`, node);
    const given = forward ? this.#callFunction(forward, [called, ...args], named, node) : this.torch.callLayer(called, args, named, node);
    if (forward || called.type === "Sequential") this.torch.noteGiven(given, node);
    return given;
  }

  /** @param {PyNode[]} kids  value, "for", targets, "in", values, "if", condition, ... @param {Scope} scope @returns {PyValue[]} */
  comprehension(kids, scope) {
    const inner = new Scope(scope);
    /** @type {PyValue[]} */
    const found = [];
    const start = kids.findIndex((kid) => kid.type === "for");
    const walk = (/** @type {number} */ at) => {
      if (at >= kids.length) {
        const [value, , second] = kids.slice(0, start);
        found.push(second ? [this.evaluate(value, inner), this.evaluate(second, inner)] : this.evaluate(value, inner));
      } else if (kids[at].type === "if") {
        if (this.isTrue(this.evaluate(kids[at + 1], inner), kids[at + 1])) walk(at + 2);
      } else {
        const into = kids.findIndex((kid, index) => index > at && kid.type === "in");
        for (const item of this.iterate(this.evaluate(kids[into + 1], inner), kids[into + 1])) {
          this.assignLoop(kids.slice(at + 1, into), item, inner);
          walk(into + 2);
        }
      }
    };
    walk(start);
    return found;
  }

  /** @param {PyNode[]} targets @param {PyValue} item @param {Scope} scope */
  assignLoop(targets, item, scope) {
    const parts = betweenCommas(targets);
    if (parts.length > 1) this.assignAll(parts, item, scope);
    else this.assign(parts[0][0], item, scope);
  }
}

/** @param {{ name: string }[]} given  the arguments of a call */
const numPlain = (given) => given.filter(({ name }) => !name).length;

/** Statements that change nothing here. */
const IDLE = new Set(["PassStatement", "AssertStatement", "DeleteStatement", "ScopeStatement", "PrintStatement", "TypeDefinition", ":", ";"]);

/** @type {Record<string, (run: Interpreter, node: PyNode, scope: Scope) => { how: string, value?: PyValue } | undefined | void>} */
const STATEMENTS = {
  Body: (run, node, scope) => run.executeAll(node.kids, scope),
  Script: (run, node, scope) => run.executeAll(node.kids, scope),
  StatementGroup: (run, node, scope) => run.executeAll(node.kids, scope),
  ExpressionStatement(run, node, scope) {
    const value = run.evaluate(node.kids[0], scope);
    const isNew = scope === run.globals && value instanceof Instance && ![...scope.names.values()].includes(value);
    if (isNew) scope.names.set("model", value); // a network that stands by itself
  },
  ReturnStatement: (run, node, scope) => ({ how: "return", value: node.kids.length > 1 ? valueOfAll(run, node.kids.slice(1), scope) : null }),
  BreakStatement: () => ({ how: "break" }),
  ContinueStatement: () => ({ how: "continue" }),
  AssignStatement(run, node, scope) {
    const kids = node.kids.filter((kid) => kid.type !== "TypeDef");
    if (!kids.some((kid) => kid.type === "AssignOp")) return;
    const last = kids.findLastIndex((kid) => kid.type === "AssignOp");
    const value = valueOfAll(run, kids.slice(last + 1), scope);
    let start = 0;
    kids.forEach((kid, index) => {
      if (kid.type !== "AssignOp") return;
      const targets = betweenCommas(kids.slice(start, index));
      const isTuple = kids.slice(start, index).some((each) => each.type === ",");
      if (isTuple) run.assignAll(targets, value, scope);
      else run.assign(targets[0][0], value, scope);
      start = index + 1;
    });
  },
  UpdateStatement(run, node, scope) {
    const [target, operator] = node.kids;
    const left = run.evaluate(target, scope);
    const right = valueOfAll(run, node.kids.slice(2), scope);
    const value = left instanceof PyList && operator.text === "+=" ? PyList.from([...left, ...run.iterate(right, node)]) : binary(run, operator.text.slice(0, -1), left, right, node, true);
    run.assign(target, value, scope);
  },
  IfStatement(run, node, scope) {
    const { kids } = node;
    for (let at = 0; at < kids.length; at += 3) {
      if (kids[at].type === "else") return run.execute(kids[at + 1], scope);
      if (run.isTrue(run.evaluate(kids[at + 1], scope), kids[at + 1])) return run.execute(kids[at + 2], scope);
    }
    return undefined;
  },
  ForStatement(run, node, scope) {
    const into = node.kids.findIndex((kid) => kid.type === "in");
    const body = /** @type {PyNode} */ (childOf(node, "Body"));
    const values = node.kids.slice(into + 1, node.kids.indexOf(body));
    for (const item of run.iterate(valueOfAll(run, values, scope), values[0])) {
      run.assignLoop(node.kids.slice(1, into), item, scope);
      const left = run.execute(body, scope);
      if (left?.how === "break") break;
      if (left?.how === "return") return left;
    }
    return undefined;
  },
  WhileStatement(run, node, scope) {
    while (run.isTrue(run.evaluate(node.kids[1], scope), node.kids[1])) {
      const left = run.execute(node.kids[2], scope);
      if (left?.how === "break") break;
      if (left?.how === "return") return left;
    }
    return undefined;
  },
  WithStatement: (run, node, scope) => run.execute(/** @type {PyNode} */ (childOf(node, "Body")), scope),
  TryStatement: (run, node, scope) => run.execute(/** @type {PyNode} */ (childOf(node, "Body")), scope),
  RaiseStatement(_run, node) {
    throw new Stop("this raises an error", node);
  },
  ImportStatement(run, node, scope) {
    const names = node.kids.filter((kid) => kid.type !== "(" && kid.type !== ")");
    const at = names.findIndex((kid) => kid.type === "import");
    const from = names.slice(0, at).filter((kid) => kid.type !== "from").map((kid) => kid.text).join("");
    for (const part of betweenCommas(names.slice(at + 1))) {
      const as = part.findIndex((kid) => kid.type === "as");
      const path = (as < 0 ? part : part.slice(0, as)).map((kid) => kid.text).join("");
      if (path === "*") continue; // layers are known by their bare names
      if (as < 0 && !from) scope.names.set(part[0].text, new Library(part[0].text));
      else scope.names.set(/** @type {PyNode} */ (part.at(-1)).text, run.attribute(new Library(from), path, node) ?? null);
      if (as > 0 && !from) scope.names.set(/** @type {PyNode} */ (part.at(-1)).text, new Library(path));
    }
  },
  FunctionDefinition(_run, node, scope) {
    const name = /** @type {PyNode} */ (childOf(node, "VariableName")).text;
    scope.names.set(name, new PyFunction(name, node, scope.cls ? /** @type {Scope} */ (scope.parent) : scope, scope.cls));
  },
  ClassDefinition(run, node, scope) {
    const name = /** @type {PyNode} */ (childOf(node, "VariableName")).text;
    const list = childOf(node, "ArgList");
    const bases = list ? argumentsOf({ ...node, kids: [list] }).filter((base) => !base.name).map((base) => run.evaluate(base.node, scope)) : [];
    const inner = new Scope(scope);
    inner.cls = new PyClass(name, node, bases, inner);
    scope.names.set(name, inner.cls);
    run.executeAll(/** @type {PyNode} */ (node.kids.at(-1)).kids, inner);
  },
  DecoratedStatement(run, node, scope) {
    const inner = /** @type {PyNode} */ (node.kids.at(-1));
    run.execute(inner, scope);
    const made = scope.names.get(/** @type {PyNode} */ (childOf(inner, "VariableName")).text);
    const words = node.kids.filter((kid) => kid.type === "Decorator").map((kid) => run.text(kid).trim());
    if (made instanceof PyClass) made.isDataclass = words.some((word) => word.includes("dataclass"));
    else Object.assign(made, { isProperty: words.some((word) => /property/.test(word)), owner: words.includes("@staticmethod") ? null : made.owner });
  },
};

/** One value, or a tuple of several between commas. @param {Interpreter} run @param {PyNode[]} kids @param {Scope} scope */
function valueOfAll(run, kids, scope) {
  if (!kids.some((kid) => kid.type === "," || kid.type === "*")) return run.evaluate(kids[0], scope);
  return betweenCommas(kids).flatMap(([first, second]) => (first.type === "*" ? run.iterate(run.evaluate(second, scope), second) : [run.evaluate(first, scope)]));
}

/** @param {Interpreter} run @param {PyNode} node @param {Scope} scope */
const listOf = (run, node, scope) => PyList.from(node.kids.length > 2 ? [valueOfAll(run, inside(node), scope)].flatMap((value) => (inside(node).some((kid) => kid.type === "," || kid.type === "*") ? value : [value])) : []);

/** @type {Record<string, (run: Interpreter, node: PyNode, scope: Scope) => PyValue>} */
const EXPRESSIONS = {
  Number(_run, node) {
    const text = node.text.replaceAll("_", "");
    return /^0[xob]/i.test(text) || !/[.e]/i.test(text) ? Number(text) : new Float(text);
  },
  String: (_run, node) => node.text.replace(/^\w*("""|'''|"|')|("""|'''|"|')$/g, ""),
  ContinuedString: (run, node, scope) => node.kids.map((kid) => run.evaluate(kid, scope)).join(""),
  FormatString(run, node, scope) {
    const starts = [...node.kids.map((kid) => kid.to)];
    const edges = [node.from, ...starts].map((from, index) => run.code.slice(from, node.kids[index]?.from ?? node.to));
    const values = node.kids.map((kid) => run.evaluate(kid.kids[1], scope));
    const unknown = values.find((value) => value instanceof Unknown);
    return unknown ?? edges.map((text, index) => text + (values[index] ?? "")).join("").replace(/^\w*("""|'''|"|')|("""|'''|"|')$/g, "");
  },
  Boolean: (_run, node) => node.text === "True",
  None: () => null,
  Ellipsis: () => ({ ellipsis: true }),
  VariableName(_run, node, scope) {
    const holder = scope.holding(node.text);
    if (holder) return holder.names.get(node.text);
    return BUILTINS[node.text] ?? new Unknown(`${node.text} is not defined here`, node);
  },
  NamedExpression(run, node, scope) {
    const value = run.evaluate(node.kids[2], scope);
    scope.names.set(node.kids[0].text, value);
    return value;
  },
  ParenthesizedExpression: (run, node, scope) => run.evaluate(node.kids[1], scope),
  TupleExpression: (run, node, scope) => [...listOf(run, node, scope)],
  ArrayExpression: listOf,
  SetExpression: listOf,
  ArrayComprehensionExpression: (run, node, scope) => PyList.from(run.comprehension(inside(node), scope)),
  ComprehensionExpression: (run, node, scope) => PyList.from(run.comprehension(inside(node), scope)),
  DictionaryComprehensionExpression: (run, node, scope) => new Map(run.comprehension(inside(node), scope)),
  DictionaryExpression(run, node, scope) {
    const pairs = betweenCommas(inside(node)).flatMap(([key, second, value]) => (key.type === "**" ? [...run.evaluate(second, scope)] : [[run.evaluate(key, scope), run.evaluate(value, scope)]]));
    return new Map(pairs);
  },
  MemberExpression(run, node, scope) {
    const owner = run.evaluate(node.kids[0], scope);
    const name = childOf(node, "PropertyName");
    if (name) return run.attribute(owner, name.text, node);
    return owner instanceof Unknown ? owner : item(run, owner, run.index(node, scope), node);
  },
  CallExpression: (run, node, scope) => run.callOf(node, scope),
  LambdaExpression: (_run, node, scope) => new PyFunction("lambda", node, scope, null),
  ConditionalExpression(run, node, scope) {
    const [yes, , test, , no] = node.kids;
    const condition = run.evaluate(test, scope);
    if (condition instanceof Unknown) return condition;
    return run.evaluate(run.isTrue(condition, test) ? yes : no, scope);
  },
  UnaryExpression(run, node, scope) {
    const [operator, operand] = node.kids;
    const value = run.evaluate(operand, scope);
    if (value instanceof Unknown) return value;
    if (operator.text === "not" || operator.type === "not") return !run.isTrue(value, operand);
    if (value instanceof Shaped) return run.torch.call("neg", { input: value }, node);
    if (operator.text === "+") return value;
    return value instanceof Float ? new Float(-value) : operator.text === "~" ? ~value : -value;
  },
  BinaryExpression(run, node, scope) {
    const [leftNode, rightNode] = [node.kids[0], /** @type {PyNode} */ (node.kids.at(-1))];
    const operator = node.kids.slice(1, -1).map((kid) => kid.text || run.text(kid)).join(" ");
    const left = run.evaluate(leftNode, scope);
    if (operator === "and" || operator === "or") {
      if (left instanceof Unknown) return left;
      return run.isTrue(left, leftNode) === (operator === "and") ? run.evaluate(rightNode, scope) : left;
    }
    const isChained = leftNode.type === "BinaryExpression" && COMPARISONS.has(operator) && COMPARISONS.has(leftNode.kids[1].text);
    if (isChained && left !== true) return left;
    const first = isChained ? run.evaluate(/** @type {PyNode} */ (leftNode.kids.at(-1)), scope) : left;
    return binary(run, operator, first, run.evaluate(rightNode, scope), node);
  },
};

const COMPARISONS = new Set(["<", ">", "<=", ">=", "==", "!="]);
/** @type {Record<string, string>} */
const TENSOR_OPERATIONS = {
  "+": "add", "-": "sub", "*": "mul", "/": "div", "@": "matmul", "**": "pow", "//": "floor_divide", "%": "remainder",
  "<": "lt", ">": "gt", "<=": "le", ">=": "ge", "==": "eq", "!=": "ne",
};
/** @type {Record<string, (a: any, b: any) => any>} */
const ARITHMETIC = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "**": (a, b) => a ** b,
  "//": (a, b) => Math.floor(a / b), "%": (a, b) => a - Math.floor(a / b) * b, "<<": (a, b) => a << b, ">>": (a, b) => a >> b,
  "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
};

/** @param {PyValue} a @param {PyValue} b @returns {boolean} */
function isEqual(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, index) => isEqual(value, b[index]));
  return a instanceof Number || b instanceof Number ? Number(a) === Number(b) : a === b;
}

/** @param {Interpreter} run @param {string} operator @param {PyValue} left @param {PyValue} right @param {PyNode} node @param {boolean} [inPlace] @returns {PyValue} */
function binary(run, operator, left, right, node, inPlace = false) {
  if (operator === "is" || operator === "is not") {
    if (left instanceof Unknown) return left;
    return (left === right) === (operator === "is");
  }
  const unknown = [left, right].find((value) => value instanceof Unknown);
  if (unknown) return run.torch.unknownCall(unknown, [left, right], node);
  if (left instanceof Shaped || right instanceof Shaped) return run.torch.operate(TENSOR_OPERATIONS[operator], left, right, node, inPlace);
  if (operator === "==" || operator === "!=") return isEqual(left, right) === (operator === "==");
  if (operator === "in" || operator === "not in") {
    const has = typeof right === "string" ? right.includes(left) : run.iterate(right, node).some((value) => isEqual(value, left));
    return has === (operator === "in");
  }
  if (Array.isArray(left) || Array.isArray(right)) return sequences(operator, left, right) ?? new Unknown(`${run.text(node)} is not understood`, node);
  const isText = typeof left === "string" || typeof right === "string";
  const compute = ARITHMETIC[operator];
  if (!compute || (isText && operator !== "+")) return new Unknown(`${run.text(node)} is not understood`, node);
  const isPlain = (/** @type {PyValue} */ value) => ["number", "boolean", "string"].includes(typeof value) || value instanceof Float;
  if (!isPlain(left) || !isPlain(right)) return new Unknown(`${run.text(node)} is not understood`, node);
  const value = compute(isText ? left : Number(left), isText ? right : Number(right));
  const isFloat = typeof value === "number" && (operator === "/" || left instanceof Float || right instanceof Float);
  return isFloat ? new Float(value) : value;
}

/** Join or repeat lists and tuples. @param {string} operator @param {PyValue} left @param {PyValue} right */
function sequences(operator, left, right) {
  if (operator === "+" && Array.isArray(left) && Array.isArray(right)) return left instanceof PyList ? PyList.from([...left, ...right]) : [...left, ...right];
  const [list, times] = Array.isArray(left) ? [left, right] : [right, left];
  if (operator !== "*" || typeof times !== "number" || list.length * times > 10_000) return undefined;
  const repeated = Array.from({ length: Math.max(0, times) }, () => [...list]).flat(1);
  return list instanceof PyList ? PyList.from(repeated) : repeated;
}

/** @param {Interpreter} run @param {PyValue} owner @param {PyValue} index @param {PyNode} node @returns {PyValue} */
function item(run, owner, index, node) {
  if (owner instanceof Shaped) return run.torch.call("getitem", { input: owner, index }, node);
  if (index instanceof Unknown) return index;
  if (owner instanceof Map) return owner.has(index) ? owner.get(index) : new Unknown(`${run.text(node)} is not set`, node);
  const isContainer = owner instanceof Instance && owner.type;
  if (isContainer && typeof index === "string") return owner.attributes.get(index) ?? new Unknown(`${run.text(node)} is not set`, node);
  const items = isContainer ? owner.children.map(([, child]) => child) : owner;
  if (!Array.isArray(items) && typeof items !== "string") return new Unknown(`${run.text(node)} is not understood`, node);
  if (index?.bounds) {
    const [from, to, step] = index.bounds;
    const picked = items.slice(from ?? undefined, to ?? undefined);
    if (step !== null && step !== -1) return new Unknown(`${run.text(node)} is not understood`, node);
    /** @type {PyValue} */
    const all = step === -1 ? [...items].reverse() : picked;
    if (isContainer) return run.torch.container(owner.type, all, node);
    return items instanceof PyList ? PyList.from(all) : all;
  }
  const found = items.at(Number(index));
  return found === undefined ? new Unknown(`${run.text(node)} is not set`, node) : found;
}
