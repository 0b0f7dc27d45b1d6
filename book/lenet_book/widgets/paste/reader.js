// @ts-check
/** Read pasted code: which network is in it, what goes in, and every shape up to the line that fails. */
import { USUAL_SIZES } from "../calculator/changes.js";
import { diagnose, titleOf } from "../calculator/diagnosis.js";
import { kindOf } from "../calculator/kinds.js";
import { BATCH } from "../calculator/layers.js";
import { namedShape, tabulate } from "../calculator/rows.js";
import { productOf, sumOf } from "../shared/numbers.js";
import { Interpreter } from "./interpreter.js";
import { MisfitError } from "./rules.js";
import { START, Unreadable, parsePython } from "./tree.js";
import { Instance, PyClass, PyFunction, Shaped, Stop, Unknown } from "./values.js";

const NOTHING = {
  refusal: null, network: "", networks: [], imageShape: [], imageSource: "", inputPlace: null, rows: [], layers: [],
  numParameters: 0, numUnusedParameters: 0, given: [], problem: null, unread: [], program: null,
  command: "python -m lenet shapes mymodel.py:Net --input 1x28x28",
};

/**
 * Read code; `imageShape` and `network` are what the reader chose, if anything.
 *
 * @param {string} code @param {{ imageShape?: number[], network?: string }} [chosen] @returns {Reading}
 */
export function readNetwork(code, { imageShape, network } = {}) {
  try {
    const program = new Program(code, network);
    return imageShape ? readingOf(program, imageShape, "as you say") : readingOf(program, ...program.guessShape());
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

  /** @param {string} code @param {string} [network]  by default the last that is called, or made, or defined */
  constructor(code, network) {
    this.tree = parsePython(code);
    stopped(() => this.run.executeAll(this.tree.kids, this.run.globals)); // what takes too long has said enough
    this.name = this.#chosen(network);
    this.network = this.#made(this.choices.get(this.name));
    const isMade = this.network instanceof Instance;
    if (!isMade) throw new Unreadable(`${this.name} gives no network that can be read here`);
    nameModules(this.network, "");
  }

  /** All that could be read as the network: what makes one, and what is one. @returns {Map<string, PyValue>} */
  get choices() {
    const globals = [...this.run.globals];
    const kinds = [isMaker, isNetworkClass, isNetwork];
    return new Map(kinds.flatMap((isOne) => globals.filter(([, value]) => isOne(value))));
  }

  /** The network's name. @param {string | undefined} wanted */
  #chosen(wanted) {
    const all = [...this.choices];
    const classes = all.filter(([, value]) => value instanceof PyClass);
    const instances = all.filter(([, value]) => value instanceof Instance);
    const called = this.run.torch.noted.findLast((each) => each.network)?.network;
    const isPart = (/** @type {string} */ name) =>
      classes.some(([other, { node }]) => other !== name && isNamedIn(node, name));
    const chosen = all.find(([name]) => name === wanted)
      ?? instances.findLast(([, value]) => value === called) ?? instances.at(-1)
      ?? classes.findLast(([name]) => !isPart(name)) ?? classes.at(-1)
      ?? all.findLast(([, value]) => this.#made(value) instanceof Instance);
    if (!chosen) throw new Unreadable("no network was found: paste the class, or an nn.Sequential");
    return chosen[0];
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
    const images = Object.assign(new Shaped([BATCH, ...imageShape]), { source: -1 });
    if (isTurned) images.strides = null;
    const node = network.made ?? this.tree;
    const output = stopped(() => run.call(network, { args: [images], named: new Map(), node }));
    const failed = output instanceof MisfitError ? output.step : null;
    if (output instanceof Unknown) run.torch.note(output);
    run.isScript = true;
    const { steps } = run.torch;
    const unread = run.torch.unread.map((each) => ({ what: each.what, place: each.node?.place ?? START }));
    return { steps, failed, unread, outputShape: failed || unread.length ? [] : firstShape(output) };
  }

  /** The shape of one image, from what the code says or from what the network takes. @returns {[number[], string]} */
  guessShape() {
    const { noted } = this.run.torch;
    const said = noted.findLast(({ shape, network }) => network === this.network && shape.length > 1)
      ?? noted.findLast(({ shape }) => shape.length === 4);
    if (said) return [said.shape.slice(1), `as line ${said.node.place.line} says`];
    const { steps, failed } = this.pass([1, 28, 28]);
    const all = failed ? [...steps, failed] : steps;
    const taker = all.find(({ layer, isUnknown }) => !isUnknown && kindOf(layer).fits);
    const { fits, axes, window } = kindOf(taker?.layer ?? { type: "" });
    const needed = fits ? taker?.layer.settings[fits.setting] : 1;
    if (fits?.noun === "feature") {
      const squares = [1, 3].map((channels) => [channels, ...Array(2).fill(Math.sqrt(needed / channels))]);
      const shapes = [...squares.filter((each) => Number.isInteger(each[1])), [needed], [needed, 28, 28]];
      return [shapes.find((each) => !this.#fails(each)) ?? [needed], `the first layer takes ${needed} features`];
    }
    const usual = needed === 1 ? USUAL_SIZES : [32, 224, ...USUAL_SIZES];
    const sizes = { 1: [128, 256, 1024], 3: [16, 32, 64] }[axes ?? 2] ?? usual;
    const shapes = (window === "transpose" ? [1, ...usual] : sizes)
      .map((size) => [needed, ...Array(axes ?? 2).fill(size)]);
    const works = shapes.find((shape) => !this.#fails(shape));
    const words = works ? "a usual size with which it runs" : "a usual size";
    const takes = taker ? `${titleOf(taker)} takes ${needed} channel${needed === 1 ? "" : "s"}; ` : "";
    return [works ?? shapes[0], takes + words];
  }

  /** @param {number[]} shape */
  #fails(shape) {
    const pass = this.pass(shape);
    return pass.unread.length > 0 || diagnose(pass) !== null;
  }
}

/** @param {PyValue} value */
const isMaker = (value) =>
  value instanceof PyFunction && value.node.parameters.every(({ star, value: usual }) => star || usual);

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
    if (error instanceof Stop || error instanceof MisfitError) return error;
    throw error;
  }
}

/** @param {PyValue} value @returns {number[]} */
function firstShape(value) {
  if (value instanceof Shaped) return value.shape;
  return Array.isArray(value) && value.length ? firstShape(value[0]) : [];
}

/** Give every module the name under which its network knows it. @param {Instance} module @param {string} name */
function nameModules(module, name) {
  if (module.name !== null) return;
  module.name = name;
  for (const [child, each] of module.children) nameModules(each, name ? `${name}.${child}` : child);
}

/** Parameters that a network has outside its layers. @param {Instance} module @returns {number} */
function freeParameters({ attributes, modules }) {
  const own = [...attributes.values()].filter((value) => value instanceof Shaped && value.isParameter);
  return sumOf([...own.map(({ shape }) => productOf(shape)), ...modules.map(freeParameters)]);
}

/** Is a name written in a piece of code? @param {PyNode} node @param {string} name @returns {boolean} */
function isNamedIn(node, name) {
  return (node.type === "VariableName" && node.text === name) || node.kids.some((kid) => isNamedIn(kid, name));
}

/** @param {Program} program @param {number[]} imageShape @param {string} imageSource @returns {Reading} */
function readingOf(program, imageShape, imageSource) {
  const { tree: { code }, name, network, choices, run: { torch } } = program;
  const pass = program.pass(imageShape);
  const problem = diagnose(pass);
  const placed = (/** @type {any} */ { node, module, isInSequence }) =>
    ({ place: node.place, shown: (isInSequence ? module.made : node).place });
  const told = (/** @type {Problem} */ { step, ...each }) => ({ ...each, name: step.layer.name, ...placed(step) });
  const rows = tabulate(pass.steps).map((row, index) => {
    const step = /** @type {CodeStep} */ (pass.steps[index]);
    const { isUnknown, inputShape, sources } = step;
    return { ...row, ...placed(step), isKnown: !isUnknown, inputShape: namedShape(inputShape), sources };
  });
  const layers = torch.made.flatMap((layer) => (layer.name === null ? []
    : { name: layer.name, place: layer.made.place, numParameters: layer.unknown ? 0 : torch.numParameters(layer) }));
  const numUsed = sumOf(rows.map((row) => row.numParameters));
  const numAll = Math.max(numUsed, sumOf(layers.map((layer) => layer.numParameters)) + freeParameters(network));
  return {
    ...NOTHING, code, network: name, networks: [...choices.keys()], imageShape, imageSource, rows, layers,
    inputPlace: network.cls?.find("forward")?.node?.parameters[1]?.node.place ?? null,
    numParameters: numAll, numUnusedParameters: numAll - numUsed,
    problem: problem && told(problem),
    given: torch.given.filter(({ node }) => node !== network.made)
      .map(({ node, shape, index = 0 }) => ({ place: node.place, shape: namedShape(shape), index })),
    unread: pass.unread,
    command: `python -m lenet shapes mymodel.py:${name} --input ${imageShape.join("x")}`,
    program: { program, pass, problem },
  };
}
