// @ts-check
/** The values of a program that is read: what JavaScript has, and these. A tuple is an array. */

export class PyList extends Array {
  isList = true;
}

/** A number with a point, which Python tells from a whole one. */
export class Float extends Number {
  toString() {
    const value = this.valueOf();
    if (Number.isInteger(value)) return Math.abs(value) < 1e16 ? value.toFixed(1) : String(value);
    return Math.abs(value) < 1e-4 ? value.toExponential().replace(/e-(\d)$/, "e-0$1") : String(value);
  }
}

/** What is not known, and why. */
export class Unknown {
  /** @param {string} what @param {PyNode | null} node */
  constructor(what, node) {
    this.what = what;
    this.node = node;
  }
}

/** A name of an installed package, such as `torch.nn.Conv2d`. */
export class Library {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
  }
}

export class PyFunction {
  /** @param {string} name @param {PyNode} node @param {Scope} scope @param {PyClass | null} owner  the class it is a method of */
  constructor(name, node, scope, owner) {
    this.name = name;
    this.node = node;
    this.scope = scope;
    this.owner = owner;
    this.isProperty = false;
  }
}

export class PyClass {
  /** @param {string} name @param {PyNode} node @param {PyValue[]} bases @param {Scope} scope */
  constructor(name, node, bases, scope) {
    this.name = name;
    this.node = node;
    this.bases = bases;
    this.scope = scope;
    this.isDataclass = false;
  }

  /** @returns {PyClass[]} */
  get lineage() {
    return [this, ...this.bases.flatMap((base) => (base instanceof PyClass ? base.lineage : []))];
  }

  /** The class of torch.nn that it comes from, such as "Module"; empty if none. @returns {string} */
  get torchBase() {
    const bases = this.lineage.flatMap((each) => each.bases).filter((base) => base instanceof Library);
    return /** @type {string} */ (bases.find((base) => /^torch\.nn\.|LightningModule/.test(base.path))?.path.split(".").at(-1) ?? "");
  }

  /** @param {string} name @returns {[PyValue, PyClass] | null} */
  find(name) {
    const owner = this.lineage.find((each) => each.scope.names.has(name));
    return owner ? [owner.scope.names.get(name), owner] : null;
  }
}

/** An object of a class of the code's own, or a layer or container of torch.nn. */
export class Instance {
  /** @type {Map<string, PyValue>} */
  attributes = new Map();
  /** A layer's settings. @type {Settings} */
  settings = {};
  /** Where it was made. @type {Scope | null} */
  scope = null;
  /** Why nothing is known of what it gives. @type {Unknown | null} */
  unknown = null;
  /** Its dotted name in the network. */
  name = "";
  isNamed = false;

  /** @param {string} type  in torch.nn; "Module" for a network of one's own, empty for another object @param {PyClass | null} cls @param {PyNode | null} made */
  constructor(type, cls, made) {
    this.type = type;
    this.cls = cls;
    this.made = made;
  }

  /** @returns {[string, Instance][]} */
  get children() {
    const isModule = (/** @type {PyValue} */ value) => value instanceof Instance && value.type;
    return [...this.attributes].filter(([, value]) => isModule(value));
  }
}

/** A bound method, of the code's own or of a value. */
export class Method {
  /** @param {PyValue} owner @param {PyFunction | string} method */
  constructor(owner, method) {
    this.owner = owner;
    this.method = method;
  }
}

/** A tensor without its numbers. */
export class Shaped {
  isParameter = false;
  /** Between neighbours on each axis, in numbers; null where it is not known. @type {number[] | null} */
  strides;

  /** @param {number[]} shape @param {number | null} source  the step that made it; −1 for the images, null for weights */
  constructor(shape, source = null) {
    this.shape = shape;
    this.source = source;
    this.strides = orderedStrides(shape);
  }

  get isOrdered() {
    const usual = orderedStrides(this.shape);
    return this.strides !== null && this.strides.every((stride, axis) => this.shape[axis] === 1 || stride === usual[axis]);
  }
}

/** @param {number[]} shape */
export function orderedStrides(shape) {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** Names, and where to look for others. */
export class Scope {
  /** @type {Map<string, PyValue>} */
  names = new Map();
  /** The class whose body this is. @type {PyClass | null} */
  cls = null;
  /** By the name of a parameter, what a call gives for it. @type {Map<string, { node: PyNode, scope: Scope }>} */
  origins = new Map();

  /** @param {Scope | null} parent */
  constructor(parent) {
    this.parent = parent;
  }

  /** @param {string} name @returns {Scope | null} */
  holding(name) {
    return this.names.has(name) ? this : this.parent && this.parent.holding(name);
  }
}
