// What the way back hands on. Every file knows these names without importing them.

/** The loss of a picture, and its gradients. */
interface Gradients {
  loss: number;
  /** The softmax of the scores. */
  shares: number[];
  /** By instruction, for what came out of it; null where no gradient arrives. */
  values: (Float32Array | null)[];
  /** By the names of arrays. */
  weights: Record<string, Float32Array>;
  blockedAt: Blocked | null;
}

/** The first instruction, on the way back, that has no rule; no gradient goes past it. */
interface Blocked {
  step: number;
  reason: string;
}

interface BackwardPlan {
  /** The instruction whose output is scored. */
  scores: number;
  /** By instruction; null where no gradient goes on. */
  rules: (BackwardRule | null)[];
  isReached: boolean[];
  /** Gradients by the names of arrays; whoever begins a batch fills them with 0. */
  weights: Record<string, Float32Array>;
  blockedAt: Blocked | null;
}

/** What a rule works on: it adds to the gradients `below`, of what went in, and to those of weights. */
interface BackwardTask {
  instruction: Instruction;
  inputs: Float32Array[];
  output: Float32Array;
  gradient: Float32Array;
  below: Float32Array[];
  weights: (role: WeightRole) => Float32Array | null;
  blame: (role: "weight" | "bias") => Float32Array | null;
}

type BackwardRule = (pass: BackwardTask) => void;

/** A weight or bias of a layer, or a number that goes in. */
interface PickedNumber {
  role: "weight" | "bias" | "unit";
  /** Its place in the array of weights, or among the numbers of that input. */
  at: number;
  /** Which of the instruction's inputs; the first if not given. */
  input?: number;
}

/** What a number that comes out adds to the gradient of one that goes in. */
interface GradientTerm {
  unit: Unit;
  /** How much it moves when that one moves by 1. */
  factor: number;
  /** What arrives at it. */
  gradient: number;
  product: number;
}

interface GradientTerms {
  /** In the order of the numbers that come out; for a kernel's weight, of the places of its map. */
  terms: GradientTerm[];
  result: number;
}

/** Where there is a kernel, a front end may send Python a message. */
interface Model {
  send?(content: object, callbacks: undefined, buffers: ArrayBuffer[]): void;
}

interface PyTorchAnswer {
  loss: number;
  /** Gradients by the names of arrays; a frozen weight has none. */
  weights: Record<string, Float32Array>;
  /** Why there are none at all. */
  reason: string;
}

/** What a network says of labelled pictures. */
interface TestScore {
  numRight: number;
  /** By label, then by answer. */
  confusion: number[][];
}

interface LabelledPictures {
  /** As the network takes them. */
  pictures: Float32Array[];
  labels: number[];
}

/** What a worker is asked to do. */
interface TrainingTask {
  program: Instruction[];
  arrays: Record<string, Tensor>;
  training: LabelledPictures;
  test: LabelledPictures;
  batchSize: number;
  /** The learning rate of Adam. */
  rate: number;
  seed: number;
  numEpochs: number;
}

/** What it tells while it trains. */
interface TrainingProgress {
  numSteps: number;
  /** Epochs begun. */
  epoch: number;
  /** Of the steps since it told last. */
  losses: number[];
  score: TestScore;
  /** The weights by now. */
  arrays: Record<string, Tensor>;
}

/** Digits of 8×8 pixels, as `digits.py` writes them. */
interface PackedDigits {
  /** From 0 to g, which is 16, row by row. */
  pixels: string;
  /** A digit for each. */
  labels: string;
}
