// What the stage's parts hand to each other. Every file knows these names without importing them.

type Engine = import("./engine.js").Engine;
type State = import("./state.js").State;
type AnyWindow = import("../shared/windows.js").SlidingWindow | import("../shared/windows.js").AdaptiveWindow;

/** One operation for the engine, as `program.py` writes it; the names of weights are those of arrays. */
interface Instruction {
  kind: string;
  inputs: number[];
  /** Without the batch axis. */
  shape: number[];
  weight?: string;
  bias?: string;
  /** Names of those two that do not learn. */
  frozen?: string[];
  mean?: string;
  deviation?: string;
  /** Recorded activations. */
  values?: string;
  /** Has `values` a batch axis? */
  perImage?: boolean;
  /** Why they were recorded. */
  reason?: string;
  /** Height and width, here and below. */
  kernel?: [number, number];
  stride?: [number, number];
  padding?: [number, number];
  dilation?: [number, number];
  groups?: number;
  adaptive?: boolean;
  countPadding?: boolean;
  divisor?: number | null;
  scale?: number;
  shift?: number;
  /** Of batch norm: what is added to the variance, and how fast the running statistics follow. */
  eps?: number;
  momentum?: number;
  slope?: number;
  alpha?: number;
  /** Of a gelu: exact, or approximated by tanh. */
  form?: "none" | "tanh";
}

/** What an instruction needs to run. */
interface EngineTask {
  instruction: Instruction;
  output: Float32Array;
  inputs: Float32Array[];
  inputShapes: number[][];
  /** Null where the program has none, as all of these. */
  weight: Float32Array;
  bias: Float32Array;
  mean: Float32Array;
  deviation: Float32Array;
}

type WeightRole = "weight" | "bias" | "mean" | "deviation";

/** An instruction, and what stands beside it: its row of the shape table, and its code. */
interface Step extends Instruction {
  name: string;
  operation: string;
  formula?: string;
  note?: string;
  numParameters?: number;
  numMacs?: number;
  field?: number[] | null;
  jump?: number[] | null;
  code?: string;
  place?: CodePlace;
  added?: boolean;
}

/** Where a step stands in the code. */
interface CodePlace {
  listing: number;
  line: number;
  num_lines: number;
  columns: [number, number] | null;
}

interface Listing {
  title: string;
  first: number;
  lines: string[];
}

interface StageMeta {
  model: string;
  steps: Step[];
  listings: Listing[];
  classes: string[];
  labels: number[] | null;
  mean: number[];
  std: number[];
  draw: boolean;
  /** To teach the network, and to see what it knows. */
  digits?: { training: PackedDigits; test: PackedDigits };
}

/** An index into a step's output, such as [channel, row, column]. */
type Unit = number[];

/** For every axis where it begins and where it ends (exclusive); it may reach into the padding, below 0 and beyond the last unit. */
type Box = [from: number, to: number][];

/** A unit that another was computed from, and how much it adds. */
interface Feeder {
  step: number;
  unit: Unit;
  size: number;
}

/** The part of a window that lies in one channel. */
interface Patch {
  channel: number;
  /** Positions; those in the padding lie outside of the map. */
  rows: number[];
  columns: number[];
  /** 0 in the padding. */
  values: number[][];
  isInside: boolean[][];
}

interface Weighted extends Patch {
  kernel: number[][];
  products: number[][];
  sum: number;
}

interface Contribution {
  index: number;
  input: number;
  weight: number;
  product: number;
}

/** A number, taken apart into those it was computed from. */
type Arithmetic =
  | { kind: "input"; result: number }
  | { kind: "conv"; patches: Weighted[]; bias: number | null; result: number }
  | { kind: "maxPool"; patch: Patch; winner: [row: number, column: number]; result: number }
  | { kind: "avgPool"; patch: Patch; sum: number; divisor: number; result: number }
  | { kind: "linear"; contributions: Contribution[]; bias: number | null; result: number }
  | { kind: "batchNorm"; value: number; mean: number; deviation: number; weight: number; bias: number; result: number }
  | { kind: "softmax"; scores: number[]; largest: number; exponentials: number[]; total: number; unit: number; result: number }
  | { kind: "reshape"; from: Unit; index: number; shape: number[]; result: number }
  | { kind: "sum"; values: number[]; result: number }
  | { kind: "pointwise"; name: string; value: number; scale: number; shift: number; slope: number; result: number }
  | { kind: "recorded"; reason: string; result: number };

type ArithmeticOf<Kind extends Arithmetic["kind"]> = Extract<Arithmetic, { kind: Kind }>;

/** A term of a shown sum; the name may be empty. */
type NamedTerm = [name: string, value: number];

/** What a view of the operation knows beside the numbers. */
interface Showing {
  state: State;
  theme: Theme;
  /** The channel of a convolution that is shown alone. */
  chosen: Weighted | null;
  /** Of what goes in. */
  below: Scale;
  /** The palette below and above zero. */
  signed: Uint32Array;
  /** How cells of what goes in are painted. */
  paintOf: (channel: number) => Paint;
}

/** How the number of a unit is shown to have come about. */
interface View {
  node: Element;
  /** Bring it up to date; the terms, if there are any, add up as shown. */
  show: (arithmetic: any, showing: Showing) => NamedTerm[] | void;
  anchors?: Anchor[];
}

/** A row that stands for an input of the sum, which lines lead to: a unit, or the window in a channel. */
interface Anchor {
  row: HTMLElement;
  unit: Unit | null;
  channel: number;
  size: number;
}

/** In CSS pixels. */
interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A line between two places in the window, and how much flows along it. */
interface Tie {
  from: Rectangle;
  to: Rectangle;
  size: number;
  /** How far its middle is raised, over what stands between. */
  lift?: number;
}

/** How numbers become colours. */
interface Scale {
  /** From lowest to highest. */
  palette: Uint32Array;
  range: (channel: number) => [low: number, high: number];
}

/** The colour of a number. */
type Paint = (value: number) => Colour;

/** What a reader does with maps. */
interface Hands {
  /** A click, a tap, an arrow key. */
  pick: (unit: Unit) => void;
  /** The pointer moves over a unit, or leaves. */
  point: (unit: Unit | null) => void;
}

/** What a reader is asked to look at in maps. */
interface Marks {
  /** It has a frame. */
  unit?: Unit;
  /** It has a frame in each channel. */
  box?: Box | null;
  /** In each map; those behind are not computed yet. */
  numKnown?: number;
  /** Of the answer. */
  isOnPath?: boolean;
  label: string;
}

type Mode = "forward" | "back" | "teach";

/** What a link leads to. */
interface Wanted {
  mode: Mode;
  step: number;
  unit: Unit;
  weight: Unit;
  bias: Unit;
  channel: number | null;
  label: number | null;
  picture: string | null;
}

/** What is shown in the place of the walk forward: three panels, and the words below them. */
interface Side {
  nodes: HTMLElement[];
  tabs: string[];
  position: string;
  sentence: string;
  hint: string;
  /** What is read aloud. */
  aloud: string;
  /** Its part of a link. */
  link?: string;
  /** What the row of steps shows; without it, the activations. */
  values?: Float32Array[];
  follow?: (wanted: Wanted) => void;
  fit?: () => void;
  show: (theme: Theme) => void;
  stop: () => void;
  /** The weights will be as they came: forget how they were changed. */
  unteach: () => void;
  /** The place where its walk ends. */
  last?: number;
}

/** What a side tells the stage. */
interface SideListener {
  /** That weights have changed. */
  changed: () => void;
  /** That another number is looked at. */
  moved: () => void;
  /** That a number was picked. */
  picked: () => void;
  /** What the picture is. */
  label: (label: number) => void;
  /** That the weights shall be as they came. */
  unteach: () => void;
}

/** The number whose gradient is explained: a weight or bias, or a unit of what goes in. */
interface Picked {
  role: "weight" | "bias" | "unit";
  at: Unit;
}
