// What the way back hands on. Every file knows these names without importing them.

/** The loss of a picture, and its gradients; those the next picture overwrites. */
interface Gradients {
  loss: number;
  /** The softmax of the scores. */
  shares: number[];
  /** By instruction, for what came out of it. */
  values: Float32Array[];
  /** By the names of arrays. */
  weights: Record<string, Float32Array>;
}

/** What a rule works on: it adds to the gradients `below`, of what went in, and to those of weights. */
interface BackwardTask extends EngineTask {
  gradient: Float32Array;
  below: Float32Array[];
  /** Gradients of its weights and of its biases, where it has any. */
  ofWeight: Float32Array;
  ofBias: Float32Array;
}

type BackwardRule = (pass: BackwardTask) => void;

/** What a number that comes out adds to the gradient of one that goes in. */
interface GradientTerm {
  unit: Unit;
  /** How much it moves when that one moves by 1. */
  factor: number;
  /** What arrives at it. */
  gradient: number;
  product: number;
}

/** Where there is a kernel, a front end may send Python a message. */
interface Model {
  send?(content: object, callbacks: undefined, buffers: ArrayBuffer[]): void;
}

interface PyTorchAnswer {
  /** The page's gradients that were asked about. */
  about: Gradients;
  loss: number;
  /** Gradients by the names of arrays; a frozen weight has none. */
  weights: Record<string, Float32Array>;
  /** Why there are none at all. */
  reason: string;
  /** How far all gradients are apart. */
  all: string;
}

/** What a network says of labelled pictures. */
interface TestScore {
  numRight: number;
  /** By label, then by answer. */
  confusion: number[][];
}

/** A picture, and what it is. */
interface Example {
  /** As the network takes it. */
  picture: Float32Array;
  label: number;
}

/** What a worker is asked to do. */
interface TrainingTask {
  program: Instruction[];
  arrays: Record<string, Tensor>;
  training: Example[];
  test: Example[];
  batchSize: number;
  /** The learning rate of Adam. */
  rate: number;
  seed: number;
  numEpochs: number;
}

/** What it tells after each epoch. */
interface TrainingProgress {
  /** How many it has trained. */
  epoch: number;
  /** Of the epoch's steps. */
  losses: number[];
  score: TestScore;
  /** With the weights by now. */
  arrays: Record<string, Tensor>;
}

/** Digits of 8×8 pixels, as `digits.py` writes them. */
interface PackedDigits {
  /** From 0 to g, which is 16, row by row. */
  pixels: string;
  /** A digit for each. */
  labels: string;
}
