// @ts-check
/** Read pasted code: which network is in it, what goes in, and every shape up to the line that fails. */
import { USUAL_SIZES } from "../calculator/changes.js";
import { diagnose, titleOf } from "../calculator/diagnosis.js";
import { kindOf } from "../calculator/kinds.js";
import { BATCH } from "../calculator/layers.js";
import { namedShape, tabulate } from "../calculator/rows.js";
import { productOf, sumOf } from "../shared/numbers.js";
import { Interpreter, Stop } from "./interpreter.js";
import { MisfitError, Torch } from "./torch.js";
import { Unreadable, argumentsOf, betweenCommas, childOf, inside, parsePython, placeOf } from "./tree.js";
import { Instance, PyClass, PyFunction, Shaped, Unknown } from "./values.js";

/** Read code; `imageShape` and `network` are what the reader chose, if anything. @param {string} code @param {{ imageShape?: number[], network?: string }} [chosen] @returns {Reading} */
export function readNetwork(code, { imageShape, network } = {}) {
  try {
    const program = new Program(code, network);
    return readingOf(program, ...(imageShape ? /** @type {[number[], string]} */ ([imageShape, "as you say"]) : program.guessShape()));
  } catch (error) {
    if (error instanceof Unreadable) return refused(code, error.message, error.at);
    if (error instanceof TypeError || error instanceof RangeError) return refused(code, "something in this code is not understood", { from: 0, to: 0 });
    throw error;
  }
}

/** Code with one network in it, ready to be run on shapes. */
export class Program {
  /** @param {string} code @param {string} [network]  its name; by default the last that is called, or made, or defined */
  constructor(code, network) {
    this.code = code;
    this.torch = new Torch();
    this.run = this.torch.run = new Interpreter(code, this.torch);
    this.tree = parsePython(code);
    try {
      this.run.executeAll(this.tree.kids, this.run.globals);
    } catch (error) {
      if (!(error instanceof Stop)) throw error; // a script that takes too long has said enough
    }
    this.#choose(network);
  }

  /** @param {string} [name] */
  #choose(name) {
    const globals = [...this.run.globals.names];
    const instances = globals.filter(([, value]) => value instanceof Instance && (value.cls ? value.type : value.type === "Sequential"));
    const classes = globals.filter(([, value]) => value instanceof PyClass && value.torchBase && (value.find("forward") || value.torchBase === "Sequential"));
    const functions = globals.filter(([, value]) => value instanceof PyFunction && !parametersOf(value).some(({ isRequired }) => isRequired));
    /** @type {Map<string, PyValue>} */
    this.choices = new Map([...functions, ...classes, ...instances]);
    const called = this.torch.noted.findLast((each) => each.network)?.network;
    const usedBy = (/** @type {string} */ each) => classes.some(([other, { node }]) => other !== each && names(node).has(each));
    const made = instances.findLast(([, value]) => value === called) ?? instances.at(-1);
    const defined = classes.findLast(([each]) => !usedBy(each)) ?? classes.at(-1);
    const fromFunction = () => functions.findLast(([, value]) => this.#made(value) instanceof Instance);
    const chosen = name && this.choices.has(name) ? name : (made ?? defined ?? fromFunction())?.[0];
    if (!chosen) throw new Unreadable("no network was found: paste the class, or an nn.Sequential", { from: 0, to: 0 });
    /** @type {string} */
    this.name = chosen;
    this.network = this.#made(this.choices.get(chosen));
    if (!(this.network instanceof Instance)) throw new Unreadable(`${chosen} gives no network that can be read here`, { from: 0, to: 0 });
    nameModules(this.network, "");
  }

  /** @param {PyValue} value  a network, or what makes one */
  #made(value) {
    this.run.fuel = 60_000;
    try {
      return value instanceof Instance ? value : this.run.call(value, [], new Map(), value.node);
    } catch (error) {
      if (error instanceof Stop) return error.unknown;
      throw error;
    }
  }

  /** The parameter of forward that takes the images. */
  get inputNode() {
    const [forward] = this.network.cls?.find("forward") ?? [];
    return forward ? (parametersOf(forward)[1]?.node ?? null) : null;
  }

  /** Run the network on images of a shape. @param {number[]} imageShape @param {boolean} [isTurned]  they lie in memory in another order @returns {ProgramPass} */
  pass(imageShape, isTurned = false) {
    const { run, torch } = this;
    torch.start();
    Object.assign(run, { isScript: false, fuel: 60_000 });
    const images = new Shaped([BATCH, ...imageShape], -1);
    if (isTurned) images.strides = null;
    /** @type {ProgramPass} */
    const pass = { steps: torch.steps, failed: null, unread: torch.unread };
    try {
      const output = run.call(this.network, [images], new Map(), this.network.made ?? this.tree);
      if (output instanceof Unknown) torch.note(output);
      pass.outputShape = firstShape(output);
    } catch (error) {
      if (error instanceof MisfitError) pass.failed = this.#named(error.step);
      else if (error instanceof Stop) torch.note(error.unknown);
      else throw error;
    }
    pass.steps = torch.steps.map((step) => this.#named(step));
    if (pass.unread.length) pass.outputShape = [];
    run.isScript = true;
    return pass;
  }

  /** Give a step the names that its code has for it and for what it works on. @param {CodeStep} step @returns {CodeStep} */
  #named(step) {
    const { node, module, misfit } = step;
    const text = node ? this.code.slice(node.from, node.to).split(/\s+/).join(" ") : "";
    const title = module || node?.type === "CallExpression" ? step.title : text;
    Object.assign(step.layer, { step, ...(!module && node && { line: placeOf(this.code, node).line }) });
    if (!misfit || !node) return { ...step, title };
    const names = operandsOf(node, Boolean(module)).slice(0, step.inputShapes.length).map((each) => this.code.slice(each.from, each.to));
    const asked = step.operation?.slice(step.operation.indexOf("("));
    const isNamed = names.length === step.inputShapes.length && !(module && node.type !== "CallExpression");
    return { ...step, title, misfit: { ...misfit, asked, ...(isNamed && { names }) } };
  }

  /** The shape of one image, from what the code says or from what the network takes. @returns {[number[], string]} */
  guessShape() {
    const said = this.torch.noted.findLast(({ shape, network }) => network === this.network && shape.length > 1) ?? this.torch.noted.findLast(({ shape }) => shape.length === 4);
    if (said) return [said.shape.slice(1), `as line ${placeOf(this.code, said.node).line} says`];
    const first = this.pass([1, 28, 28]);
    const steps = first.failed ? [...first.steps, first.failed] : first.steps;
    const taker = steps.find(({ layer, isUnknown }) => !isUnknown && kindOf(layer).fits);
    const { fits } = kindOf(taker?.layer ?? { type: "" });
    const needed = fits && /** @type {any} */ (taker?.layer.settings)[fits.setting];
    if (fits?.noun === "feature") return this.#flatShape(needed);
    const channels = needed ?? 1;
    const { axes, window } = kindOf(taker?.layer ?? { type: "" });
    const flat = channels === 1 ? USUAL_SIZES : [32, 224, ...USUAL_SIZES.filter((size) => ![32, 224].includes(size))];
    const sizes = window === "transpose" ? [1, ...flat] : axes === 1 ? [128, 256, 1024] : axes === 3 ? [16, 32, 64] : flat;
    const shapes = sizes.map((size) => [channels, ...Array(axes ?? 2).fill(size)]);
    const works = shapes.find((shape) => !this.#fails(shape));
    const words = works ? "a usual size with which it runs" : "a usual size";
    return [works ?? shapes[0], `${taker ? `${titleOf(taker)} takes ${channels} channel${channels === 1 ? "" : "s"}; ` : ""}${words}`];
  }

  /** @param {number} features @returns {[number[], string]} */
  #flatShape(features) {
    const squares = [1, 3].map((channels) => [channels, ...Array(2).fill(Math.sqrt(features / channels))]);
    const shape = [...squares.filter((each) => Number.isInteger(each[1])), [features], [features, 28, 28]].find((each) => !this.#fails(each));
    return [shape ?? [features], `the first layer takes ${features} features`];
  }

  /** @param {number[]} shape */
  #fails(shape) {
    const pass = this.pass(shape);
    return pass.unread.length > 0 || diagnose(pass) !== null;
  }
}

/** @param {PyValue} value @returns {number[]} */
function firstShape(value) {
  if (value instanceof Shaped) return value.shape;
  return Array.isArray(value) && value.length ? firstShape(value[0]) : [];
}

/** Give every module the name under which its network knows it. @param {Instance} module @param {string} name */
function nameModules(module, name) {
  if (module.isNamed) return;
  Object.assign(module, { name, isNamed: true });
  for (const [child, each] of module.children) nameModules(each, name ? `${name}.${child}` : child);
}

/** Parameters that a network has outside its layers. @param {Instance} module @returns {number} */
function freeParameters(module) {
  const own = [...module.attributes.values()].filter((value) => value instanceof Shaped && value.isParameter);
  return sumOf([...own.map((value) => productOf(value.shape)), ...module.children.map(([, child]) => freeParameters(child))]);
}

/** The names that are written in a piece of code. @param {PyNode} node @param {Set<string>} [found] */
function names(node, found = new Set()) {
  if (node.type === "VariableName") found.add(node.text);
  node.kids.forEach((kid) => names(kid, found));
  return found;
}

/** @param {any} called  a function */
function parametersOf({ node }) {
  const list = childOf(node, "ParamList");
  return list && node.type !== "LambdaExpression" ? betweenCommas(inside(list)).filter(([first]) => !/^[*/]/.test(first.type)).map((part) => ({ node: part[0], isRequired: !part.some((kid) => kid.type === "AssignOp") })) : [];
}

/** What a call or a sum works on, as lenet.shapes names it. @param {PyNode} node @param {boolean} isLayer @returns {PyNode[]} */
export function operandsOf(node, isLayer) {
  if (node.type === "BinaryExpression" || node.type === "UpdateStatement") return [node.kids[0], /** @type {PyNode} */ (node.kids.at(-1))];
  if (node.type !== "CallExpression") return node.type === "MemberExpression" ? [node.kids[0]] : [];
  const args = argumentsOf(node).filter((each) => !each.name).map((each) => each.node);
  const [callee] = node.kids;
  const isFunction = callee.type !== "MemberExpression" || ["torch", "F", "nn.functional"].includes(callee.kids.slice(0, -2).map((kid) => kid.text || kid.kids.map((each) => each.text).join("")).join(""));
  if (!isLayer && !isFunction) return [callee.kids[0], ...args];
  return args[0] && /^(Array|Tuple)Expression$/.test(args[0].type) ? betweenCommas(inside(args[0])).map(([each]) => each) : args;
}

// ---------------------------------------------------------------------------- what is handed on

/** @param {Program} program @param {number[]} imageShape @param {string} imageSource @returns {Reading} */
function readingOf(program, imageShape, imageSource) {
  const { code, name, network, choices, torch } = program;
  const pass = program.pass(imageShape);
  const problem = diagnose(pass);
  const place = (/** @type {{ from: number, to: number } | null | undefined} */ node) => placeOf(code, node);
  const made = (/** @type {any} */ module) => (module?.made ? placeOf(code, module.made) : null);
  const rows = tabulate(pass.steps).map((row, index) => {
    const step = /** @type {CodeStep} */ (pass.steps[index]);
    return { ...row, isKnown: !step.isUnknown, place: place(step.node), made: made(step.module), inputShape: namedShape(step.inputShape), sources: step.sources, isInSequence: Boolean(step.isInSequence) };
  });
  const layers = torch.made.filter((layer) => layer.isNamed).map((layer) => ({ name: layer.name, place: place(layer.made), numParameters: layer.unknown ? 0 : torch.numParameters(layer) }));
  const numAll = sumOf(layers.map((layer) => layer.numParameters)) + freeParameters(network);
  const numUsed = sumOf(rows.map((row) => row.numParameters));
  const at = /** @type {CodeStep | undefined} */ (problem?.step);
  return {
    code, refusal: null, network: name, networks: [...choices.keys()], imageShape, imageSource, rows, layers,
    inputPlace: program.inputNode ? place(program.inputNode) : null,
    numParameters: Math.max(numAll, numUsed), numUnusedParameters: Math.max(0, numAll - numUsed),
    problem: problem && at ? { what: problem.what, why: problem.why, needed: problem.needed, came: problem.came, place: place(at.node), made: made(at.module), isInSequence: Boolean(at.isInSequence), index: problem.index, name: at.layer.name } : null,
    given: torch.given.filter(({ node }) => node !== network.made).map(({ node, shape, index }) => ({ place: place(node), shape: namedShape(shape), index })),
    unread: pass.unread.map(({ what, node }) => ({ what, place: place(node) })),
    command: `python -m lenet shapes mymodel.py:${name} --input ${imageShape.join("x")}`,
    program: { program, pass, problem },
  };
}

/** @param {string} code @param {string} what @param {{ from: number, to: number }} at @returns {Reading} */
function refused(code, what, at) {
  return {
    code, refusal: { what, place: placeOf(code, at) }, network: "", networks: [], imageShape: [], imageSource: "", inputPlace: null, rows: [], layers: [],
    numParameters: 0, numUnusedParameters: 0, given: [], problem: null, unread: [], command: "python -m lenet shapes mymodel.py:Net --input 1x28x28", program: null,
  };
}
