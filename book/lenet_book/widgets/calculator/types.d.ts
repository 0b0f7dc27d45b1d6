// What the calculator's parts hand to each other. Every file knows these names without importing them.

/** A number, one for each axis, a word, or what was typed instead. */
type Setting = number | number[] | string | boolean | null;

/** By name, each a `Setting`. */
type Settings = Record<string, any>;

interface Layer {
  name: string;
  type: string;
  settings: Settings;
  /** Of a function in a program: where it is called. */
  line?: number;
}

/** The layers of a network, and the shape of one image, (channels, height, width), as it was typed. */
interface Stack {
  layers: Layer[];
  imageShape: Setting[];
}

interface Preset {
  name: string;
  input_shape: number[];
  layers: Layer[];
}

/**
 * What there is to know about a type of layer; kinds.py has the meanings. Settings stand in the order
 * of the constructor.
 */
interface Kind {
  settings: Record<string, { type: string; default: Setting; required: boolean; shown: boolean }>;
  axes: number | null;
  input_dims: number[];
  window: "" | "conv" | "pool" | "transpose" | "adaptive" | "all";
  fits: { setting: string; axis: number; noun: "channel" | "feature" } | null;
  width: string;
  macs: "" | "per output" | "per input" | "sum" | "per row" | "attention" | "counter";
  pointwise: boolean;
  formula: "" | "features" | "flatten" | "join";
  stem: string;
}

/**
 * Why a layer cannot run: the input has too few or too many axes, or the wrong width, or what slides
 * does not fit.
 */
interface Misfit {
  kind: "axes" | "channels" | "features" | "size" | "view" | "order" | "operands" | "tuple" | "other";
  /** The first axis of what came would be taken for the channels of one image. */
  isAsOneImage?: boolean;
  needed?: number;
  came?: number;
  reason?: string;
  /** What a view asks for; what operands must have; how they are written. */
  asked?: string;
  needs?: string;
  /** What the step does, and how what came differs. */
  does?: string;
  but?: string;
  names?: string[];
}

/** One layer that ran, or was tried; a failed one has an empty output shape. */
interface LayerStep {
  layer: Layer;
  inputShape: number[];
  outputShape: number[];
  misfit?: Misfit;
  /** In a program, all that goes in, and for each the step that made it: −1 for the images, null for weights. */
  inputShapes?: number[][];
  sources?: (number | null)[];
  /** As it would be written, where a function ran and not a layer. */
  operation?: string;
  /** What it is called, where that is not the layer's name. */
  title?: string;
  /** Parameters that are first used here. */
  numParameters?: number;
  /** Nothing is known of what comes out. */
  isUnknown?: boolean;
}

/** A stack run as far as it goes. */
interface Pass {
  steps: LayerStep[];
  failed: LayerStep | null;
  /** What the whole gives; in a stack, what its last layer gives. */
  outputShape?: number[];
}

/** The pixels of the input that one number depends on, and how far apart those of neighbours stand. */
interface Field {
  size: number[];
  jump: number[] | null;
}

/** As lenet.shapes.Row. */
interface Row {
  name: string;
  operation: string;
  formula: string;
  note: string;
  outputShape: (number | string)[];
  numParameters: number;
  numMacs: number;
  numBiasAdditions: number;
  receptiveField: number[] | null;
  jump: number[] | null;
}

/** Where a stack goes wrong: at which layer, what it needed, and what came. */
interface Problem {
  kind: Misfit["kind"] | "maps" | "batch";
  what: string;
  step: LayerStep;
  /** The steps before it. */
  before: LayerStep[];
  index: number;
  needed: number;
  came: number;
  why: string;
}

/**
 * One thing done differently: a layer's settings, or the image's shape. The `reason` is what is now,
 * as a cause; if it `flattens`, the layer's input is flattened first; if it `leadsOn`, the next layer
 * may have to follow.
 */
interface Change {
  text: string;
  reason: string;
  layer?: string;
  /** The layer of this name, as it ran. */
  of?: Layer;
  /** In a program, the edits that do it. */
  edits?: CodeEdit[];
  settings?: Settings;
  /** The type that the layer is of instead. */
  instead?: string;
  imageShape?: number[];
  /** The images' axes change places, but not their numbers in memory. */
  isTurned?: boolean;
  flattens?: boolean;
  leadsOn?: boolean;
}

/** Changes that were made together, and with which the stack ran from end to end. */
interface Fix {
  changes: Change[];
  code?: string;
  rank: number;
}

/** What is wrong with changes made: null if nothing is, undefined if they cannot be made. */
type Trial = (changes: Change[]) => Problem | null | undefined;

/** Changes of which the first that works is enough; `limit` of them from all families of a rank. */
interface Family {
  rank: number;
  words: string;
  changes: Iterable<Change>;
  limit?: number;
}

interface Explanation {
  index: number;
  what: string;
  why: string;
  fixes: Fix[];
  error: string;
  tried: string[];
}

/**
 * What there is to say of a stack. `sizes` is the image's shape, of ones where what was typed is
 * impossible; a `refusal` says why settings or the input are; `wrong` is the index of the layer that
 * does not fit or cannot be made, or −1.
 */
interface Findings {
  sizes: number[];
  pass: Pass;
  rows: Row[];
  explanation: Explanation | null;
  refusal: string;
  wrong: number;
}

/** What the reader does to the layer at an index: open or close its editor, set, move, remove; and to all. */
interface Actions {
  toggle(index: number): void;
  set(index: number, name: string, value: Setting): void;
  move(index: number, by: number): void;
  remove(index: number): void;
  apply(fix: Fix): void;
}
