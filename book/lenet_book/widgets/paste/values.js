// @ts-check
/** The values of a program that is read: what JavaScript has, and these. A tuple is an array, a method a function. */

export class PyList extends Array {
  isList = true;
}

/** What has its keys for attributes. @extends {Map<string, PyValue>} */
export class Names extends Map {}

/** A number with a point, which Python tells from a whole one. */
export class Float extends Number {
  toString() {
    const value = this.valueOf();
    if (Number.isInteger(value)) return Math.abs(value) < 1e16 ? value.toFixed(1) : String(value);
    return Math.abs(value) < 1e-4 ? value.toExponential().replace(/e-(\d)$/, "e-0$1") : String(value);
  }
}

/** What is not known, and why. Where it is thrown, the expression around it is unknown. */
export class Unknown {
  /** @param {string} what @param {PyNode | null} [node] */
  constructor(what, node = null) {
    this.what = what;
    this.node = node;
  }

  toString() {
    return "?";
  }
}

/** Nothing behind this can be known: it ends the reading. */
export class Stop extends Unknown {}

/** Give a value back, unless it is unknown. @param {PyValue} value */
export function known(value) {
  if (value instanceof Unknown) throw value;
  return value;
}

/** A method of an object, as it is called. @param {PyValue} owner @param {Method} method @returns {Builtin} */
export function boundTo(owner, method) {
  return (args, run, call) => method(owner, args, run, call);
}

/** A name of an installed package, such as `torch.nn.Conv2d`. */
export class Library {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
    this.name = path.slice(path.lastIndexOf(".") + 1);
  }

  toString() {
    return this.path;
  }
}

export class PyFunction {
  isProperty = false;

  /** @param {string} name @param {PyNode} node @param {Scope} scope @param {PyClass | null} owner  of a method */
  constructor(name, node, scope, owner) {
    this.name = name;
    this.node = node;
    this.scope = scope;
    this.owner = owner;
  }
}

export class PyClass {
  isDataclass = false;

  /** @param {PyNode} node @param {PyValue[]} bases @param {Scope} scope */
  constructor(node, bases, scope) {
    this.node = node;
    this.bases = bases;
    this.scope = scope;
  }

  /** @returns {PyClass[]} */
  get lineage() {
    return [this, ...this.bases.flatMap((base) => (base instanceof PyClass ? base.lineage : []))];
  }

  /** The class of torch.nn that it comes from, such as "Module"; empty if none. @returns {string} */
  get torchBase() {
    const bases = this.lineage.flatMap((each) => each.bases).filter((base) => base instanceof Library);
    const known = bases.find(({ path }) => path.startsWith("torch.nn."))?.name;
    return known ?? (this.find("forward") && this.bases.length ? "Module" : ""); // a base of elsewhere is taken for one
  }

  /** @param {string} name @param {PyClass} [below]  only what stands behind it in the lineage @returns {PyValue} */
  find(name, below) {
    const classes = this.lineage.slice(below ? this.lineage.indexOf(below) + 1 : 0);
    return classes.find(({ scope }) => scope.has(name))?.scope.get(name);
  }
}

/** An object of a class of the code's own, or a layer or container of torch.nn. */
export class Instance {
  /** @type {Map<string, PyValue>} */
  attributes = new Map();
  /** A layer's settings. @type {Settings} */
  settings = {};
  /** Does it take as many channels, or features, as come first? */
  isLazy = false;
  /** Has it run nn.Module.__init__, before which it takes no layers? */
  isReady = false;
  /** Where it was made. @type {Scope | null} */
  scope = null;
  /** Why nothing is known of what it gives. @type {Unknown | null} */
  unknown = null;
  /** Its dotted name in the network; null where that does not find it. @type {string | null} */
  name = null;

  /**
   * @param {string} type  in torch.nn; "Module" for a network of one's own, empty for another object
   * @param {PyClass | null} cls @param {PyNode} made
   */
  constructor(type, cls, made) {
    this.type = type;
    this.cls = cls;
    this.made = made;
  }

  /** @returns {[string, Instance][]} */
  get children() {
    return [...this.attributes].filter(([, value]) => value instanceof Instance && value.type);
  }

  get modules() {
    return this.children.map(([, child]) => child);
  }
}

/** A tensor without its numbers. */
export class Shaped {
  isParameter = false;
  /** The step that made it; −1 for the images, null for weights. @type {number | null} */
  source = null;
  /** Between neighbours on each axis, in numbers; null where it is not known. @type {number[] | null} */
  strides;

  /** @param {number[]} shape */
  constructor(shape) {
    this.shape = shape;
    this.strides = orderedStrides(shape);
  }

  get isOrdered() {
    const usual = orderedStrides(this.shape);
    return this.shape.every((size, axis) => this.strides && (size === 1 || this.strides[axis] === usual[axis]));
  }
}

/** @param {number[]} shape */
function orderedStrides(shape) {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** Names, and where to look for others. @extends {Map<string, PyValue>} */
export class Scope extends Map {
  /** The class whose body this is. @type {PyClass | null} */
  cls = null;
  /** By the name of a parameter, what a call gives for it. @type {Map<string, { node: PyNode, scope: Scope }>} */
  origins = new Map();

  /** @param {Scope | null} parent */
  constructor(parent) {
    super();
    this.parent = parent;
  }

  /** What a name stands for; undefined where it is not set. @param {string} name @returns {PyValue} */
  find(name) {
    return this.has(name) ? this.get(name) : this.parent?.find(name);
  }
}
