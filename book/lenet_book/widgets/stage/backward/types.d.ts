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
