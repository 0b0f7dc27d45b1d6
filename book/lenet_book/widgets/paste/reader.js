// @ts-check
/** Read pasted code: which network is in it, what goes in, and every shape up to the line that fails. */
import { USUAL_SIZES } from "../calculator/changes.js";
import { diagnose, titleOf } from "../calculator/diagnosis.js";
import { kindOf } from "../calculator/kinds.js";
import { BATCH } from "../calculator/layers.js";
import { namedShape, tabulate } from "../calculator/rows.js";
import { productOf, sumOf } from "../shared/numbers.js";
import { Interpreter } from "./interpreter.js";
import { Misfitting } from "./rules.js";
import { START, Unreadable, parsePython } from "./tree.js";
import { Instance, PyClass, PyFunction, Shaped, Stop, Unknown } from "./values.js";

/** @type {Omit<Reading, "code">} */
const NOTHING = {
  refusal: null, network: "", networks: [], imageShape: [], imageSource: "", inputPlace: null, rows: [], layers: [],
  numParameters: 0, numUnusedParameters: 0, given: [], problem: null, unreached: [0, 0], unread: [], program: null,
  command: "python -m lenet shapes mymodel.py:Net --input 1x28x28",
};

const ASKED = "the code does not say how large the pictures are, and with no usual size does it run: write it above, " +
  "as 3×224×224, to see what happens";

/** The shapes of pictures of sets that code names. @type {Record<string, number[]>} */
const DATASETS = {
  MNIST: [1, 28, 28], FashionMNIST: [1, 28, 28], CIFAR10: [3, 32, 32], CIFAR100: [3, 32, 32], SVHN: [3, 32, 32],
};

/**
 * Read code; `imageShape` and `network` are what the reader chose, if anything.
 *
 * @param {string} code @param {{ imageShape?: number[], network?: string }} [chosen] @returns {Reading}
 */
export function readNetwork(code, { imageShape, network } = {}) {
  try {
    const program = new Program(code, network);
    const [shape, source] = imageShape ? [imageShape, "as you say"] : program.guessShape();
    const reading = readingOf(program, shape, source);
    const place = reading.inputPlace ?? program.modules[0].made.place;
    return source ? reading : { ...reading, rows: [], problem: null, refusal: { what: ASKED, place } };
  } catch (error) {
    const isUnclear = error instanceof TypeError || error instanceof RangeError;
    const why = isUnclear ? new Unreadable("something in this code is not understood") : error;
    if (!(why instanceof Unreadable)) throw error;
    return { ...NOTHING, code, refusal: { what: why.message, place: why.place } };
  }
}

/** Code with one network in it, ready to be run on shapes. */
export class Program {
  run = new Interpreter();

  /** @param {string} code @param {string} [wanted]  the network's name; by default the last called, made, or defined */
  constructor(code, wanted) {
    this.tree = parsePython(code);
    stopped(() => this.run.executeAll(this.tree.kids, this.run.globals)); // what takes too long has said enough
    const globals = [...this.run.globals];
    /** What makes a network, and what is one. @type {Map<string, PyValue>} */
    this.choices = new Map([isMaker, isNetworkClass, isNetwork].flatMap((isOne) =>
      globals.filter(([, value]) => isOne(value))));
    const all = [...this.choices];
    const parts = globals.flatMap(([, value]) => (value instanceof Instance ? value.modules : []));
    const lastCalled = () => this.run.noted.findLast(({ network }) => network && !parts.includes(network))?.network;
    const makers = all.filter(([, value]) => value instanceof PyFunction);
    if (!lastCalled()) makers.findLast(([, value]) => this.#made(value) && lastCalled()); // a test that nobody runs
    const called = lastCalled();
    const chosen = all.find(([name]) => name === wanted)
      ?? all.findLast(([, value]) => called && (value === called || value === called.cls))
      ?? all.findLast((each) => isReady(each[1]) && this.#isWhole(each) && this.#made(each[1]).modules?.length)
      ?? makers.find((each) => this.#isWhole(each))
      ?? all.findLast((each) => this.#isWhole(each)) ?? all.findLast(([, { bases }]) => bases);
    const [, lost] = globals.findLast(([name, value]) => /model|net/i.test(name) && value instanceof Unknown) ?? [];
    const why = lost ? `: ${lost.what}` : "";
    if (!chosen) throw new Unreadable(`no network was found${why}`, lost?.node?.place);
    this.name = chosen[0];
    this.network = called && called.cls === chosen[1] ? called : this.#made(chosen[1]);
    const { what, node = chosen[1].node } = this.network instanceof Unknown ? this.network : { what: "it is none" };
    const isMade = this.network instanceof Instance;
    if (!isMade) throw new Unreadable(`${this.name} gives no network that can be read here: ${what}`, node.place);
    this.modules = named(this.network, "");
  }

  /** What the script gives the network beside the images. @returns {PyValue[]} */
  get others() {
    const call = this.run.noted.findLast(({ network }) => network === this.network);
    const { shape: [batch] = [], others = [] } = call ?? {};
    const sizes = (/** @type {Shaped} */ { shape: [first, ...rest] }) => [first === batch ? BATCH : first, ...rest];
    return others.map((each) => (each instanceof Shaped ? imagesOf(sizes(each)) : each));
  }

  /** Is this a network, makes it one, or is it a class and no part of another? @param {[string, PyValue]} choice */
  #isWhole([name, value]) {
    if (!(value instanceof PyClass)) return this.#made(value) instanceof Instance;
    const others = [...this.choices].filter(([other, { bases }]) => bases && other !== name);
    return !others.some(([, { node }]) => isNamedIn(node, name));
  }

  /** @param {PyValue} value  a network, or what makes one */
  #made(value) {
    this.run.start(true);
    if (value instanceof Instance) return value;
    return stopped(() => this.run.call(value, { args: [], named: new Map(), node: value.node }));
  }

  /**
   * Run the network on images of a shape.
   *
   * @param {number[]} imageShape @param {boolean} [isTurned]  they lie in another order @returns {ProgramPass}
   */
  pass(imageShape, isTurned = false) {
    const { run, network } = this;
    run.start(false);
    const images = imagesOf([BATCH, ...imageShape]);
    if (isTurned) images.strides = null;
    run.torch.entry = network.made;
    for (const { unknown } of this.modules) {
      if (unknown instanceof Stop) run.torch.note(unknown); // it cannot be made, though it may never run
    }
    const given = { args: [images, ...this.others], named: new Map(), node: network.made };
    const output = stopped(() => run.call(network, given));
    const failed = output instanceof Misfitting ? output.step : null;
    if (!failed && output instanceof Unknown) run.torch.note(output);
    run.isScript = true;
    const { steps } = run.torch;
    const unread = run.torch.unread.map(({ what, node }) => ({ what, place: node?.place ?? START }));
    const outputShape = failed || unread.length ? [] : firstShape(output);
    return { steps, failed, unread, outputShape, isVoid: output === null };
  }

  /**
   * The shape of one image, and what says so: the code, or that the network runs or always fails alike; empty words for
   * a shape that is none but a beginning.
   *
   * @returns {[number[], string]}
   */
  guessShape() {
    const { noted } = this.run;
    const said = noted.findLast(({ shape, network }) => network === this.network && shape.length > 1)
      ?? noted.findLast(({ shape }) => shape.length === 4);
    if (said) return [said.shape.slice(1), `as line ${said.node.place.line} says`];
    const { steps, failed } = this.pass([1, 28, 28]);
    const isOfImages = failed?.layer.type === "view" && failed.sources?.[0] === -1;
    const [, ...seen] = isOfImages ? [failed.layer.settings.shape].flat() : [];
    if (seen.length > 1 && seen.every((size) => size > 0)) return [seen, `as line ${failed?.layer.line} says`];
    const taker = [...steps, failed].find((step) => step && !step.isUnknown && kindOf(step.layer).fits);
    const kind = kindOf(taker?.layer ?? { type: "" });
    const setting = kind.fits?.setting ?? "";
    const needed = taker?.layer.settings[setting] ?? 1;
    const prepared = noted.findLast(({ pixels }) => pixels);
    if (prepared?.pixels) {
      const channels = kind.fits?.noun === "feature" ? needed / productOf(prepared.pixels) : needed;
      const shape = [[1, 3].includes(channels) ? channels : 3, ...prepared.pixels];
      return [shape, `as line ${prepared.node.place.line} says`];
    }
    const named = Object.entries(DATASETS).find(([name, shape]) =>
      [shape[0], productOf(shape)].includes(needed) && isNamedIn(this.tree, name));
    if (named) return [named[1], `as pictures of ${named[0]} have it`];
    const [shape, words] = this.#usual(usualShapes(kind, needed));
    return [shape, taker && words ? `${titleOf(taker)} has ${setting}=${needed}; ${words}` : words];
  }

  /**
   * The first shape with which all runs; else one with which it fails like all that come as far.
   *
   * @param {number[][]} shapes @returns {[number[], string]}
   */
  #usual(shapes) {
    /** @type {{ shape: number[], index: number, wrong: string }[]} */
    const trials = [];
    for (const shape of shapes) {
      const pass = this.pass(shape);
      const problem = diagnose(pass);
      if (!problem && !pass.unread.length) return [shape, "a usual size with which it runs"];
      const { index, needed, came } = problem ?? { index: pass.steps.length, needed: 0, came: 0 };
      trials.push({ shape, index, wrong: [problem?.kind, needed, came].join() });
    }
    const [first, ...others] = trials.filter(({ index }) => trials.every((other) => other.index <= index));
    const isAlike = others.every(({ wrong }) => wrong === first.wrong) && (others.length || first.shape.length === 1);
    return [first.shape, isAlike ? "a usual size" : ""];
  }
}

/** What goes into the network, as no step gives it. @param {number[]} shape */
const imagesOf = (shape) => Object.assign(new Shaped(shape), { source: -1 });

/** Shapes of images for a layer that needs so many channels or features. @param {Kind} kind @param {number} needed */
function usualShapes({ fits, axes, window, macs }, needed) {
  if (macs === "per row") return [[28, needed]];
  if (fits?.noun === "feature") {
    const squares = [1, 3].map((channels) => [channels, ...Array(2).fill(Math.sqrt(needed / channels))]);
    return [...squares.filter(([, side]) => Number.isInteger(side)), [needed], [needed, 28, 28]];
  }
  const usual = needed === 1 ? USUAL_SIZES : [32, 224, ...USUAL_SIZES];
  const sizes = window === "transpose" ? [1, ...usual] : { 1: [128, 256, 1024], 3: [16, 32, 64] }[axes ?? 2] ?? usual;
  return sizes.map((size) => [needed, ...Array(axes ?? 2).fill(size)]);
}

/** Can it be called with the first arguments alone? @param {PyValue} called @param {number} [numFirst] */
const needsNoMore = ({ node }, numFirst = 0) =>
  node.parameters.slice(numFirst).every((/** @type {any} */ { star, value }) => star || value);

/** @param {PyValue} value */
const isMaker = (value) => value instanceof PyFunction && needsNoMore(value);

/** Is this a network, or a class that needs nothing to make one? @param {PyValue} value */
const isReady = (value) => {
  const init = value instanceof PyClass && value.find("__init__");
  return value instanceof Instance || (value instanceof PyClass && (!init || needsNoMore(init, 1)));
};

/** @param {PyValue} value */
const isNetworkClass = (value) =>
  value instanceof PyClass && value.torchBase && (value.find("forward") || value.torchBase === "Sequential");

/** @param {PyValue} value */
const isNetwork = (value) => value instanceof Instance && (value.cls ? value.type : value.type === "Sequential");

/** What something gives; where it does not come to its end, why. @param {() => PyValue} act @returns {PyValue} */
function stopped(act) {
  try {
    return act();
  } catch (error) {
    if (error instanceof Stop) return error;
    throw error;
  }
}

/** @param {PyValue} value @returns {number[]} */
function firstShape(value) {
  if (value instanceof Shaped) return value.shape;
  return Array.isArray(value) && value.length ? firstShape(value[0]) : [];
}

/**
 * Give every module the name under which its network knows it.
 *
 * @param {Instance} module @param {string} name @returns {Instance[]}  all of them
 */
function named(module, name) {
  if (module.name !== null) return [];
  module.name = name;
  return [module, ...module.children.flatMap(([child, each]) => named(each, name ? `${name}.${child}` : child))];
}

/** Is a name written in a piece of code? @param {PyNode} node @param {string} name @returns {boolean} */
function isNamedIn(node, name) {
  const isName = /^(Variable|Property)Name$/.test(node.type) && node.text === name;
  return isName || node.kids.some((kid) => isNamedIn(kid, name));
}

/**
 * The lines of a function, or of a sequence, that do not run.
 *
 * @param {PyNode} tree @param {Pick<CodeProblem, "place" | "shown">} problem @returns {[number, number]}
 */
function unreachedBehind(tree, { place, shown }) {
  const isInSequence = place.from !== shown.from;
  const around = tree.around(shown, isInSequence ? ["FunctionDefinition", "ArgList"] : ["FunctionDefinition"]);
  if (!around) return [0, 0];
  const end = around.type === "ArgList" ? around.to - 1 : around.to;
  return [shown.lastLine, tree.code.slice(0, end).trimEnd().split("\n").length];
}

/** @param {Program} program @param {number[]} imageShape @param {string} imageSource @returns {Reading} */
function readingOf(program, imageShape, imageSource) {
  const { tree: { code }, name, network, modules, choices, run } = program;
  const pass = program.pass(imageShape);
  const problem = diagnose(pass);
  const placed = (/** @type {any} */ { node, module, isInSequence }) =>
    ({ place: node.place, shown: (isInSequence ? module.made : node).place });
  const told = (/** @type {Problem} */ { step, before: _, ...each }) =>
    ({ ...each, name: step.layer.name, ...placed(step) });
  const rows = tabulate(pass.steps).map((row, index) => {
    const step = /** @type {CodeStep} */ (pass.steps[index]);
    const { isUnknown, inputShape, sources } = step;
    return { ...row, ...placed(step), isKnown: !isUnknown, inputShape: namedShape(inputShape), sources };
  });
  const layers = modules.map((each) =>
    ({ place: each.made.place, numParameters: each.unknown ? 0 : run.torch.numParameters(each) }));
  const attributes = modules.flatMap((each) => [...each.attributes.values()]);
  const free = attributes.filter((value) => value instanceof Shaped && value.isParameter);
  const others = program.others.filter((each) => each instanceof Shaped).map(({ shape }) => shape.slice(1));
  const inputs = [imageShape, ...others].map((shape) => `--input ${shape.join("x")}`).join(" ");
  const forward = network.cls?.find("forward")?.node ?? network.made;
  const unreturned = { what: "forward reaches its end without a return", place: forward.place };
  const numUsed = sumOf(rows.map((row) => row.numParameters));
  const numMade = sumOf([...layers.map((layer) => layer.numParameters), ...free.map(({ shape }) => productOf(shape))]);
  const numAll = Math.max(numUsed, numMade);
  return {
    ...NOTHING, code, network: name, networks: [...choices.keys()], imageShape, imageSource, rows, layers,
    inputPlace: network.cls?.find("forward")?.node?.parameters[1]?.node.place ?? null,
    numParameters: numAll, numUnusedParameters: numAll - numUsed,
    problem: problem && told(problem),
    unreached: problem ? unreachedBehind(program.tree, placed(problem.step)) : [0, 0],
    given: run.torch.given.filter(({ node }) => node !== network.made)
      .map(({ node, shape, index = 0 }) => ({ place: node.place, shape: namedShape(shape), index })),
    unread: pass.isVoid ? [...pass.unread, unreturned] : pass.unread,
    command: `python -m lenet shapes mymodel.py:${name} ${inputs}`,
    program: { program, pass, problem },
  };
}
