/** A number, a shape, or one of several texts. */
type Answer = number | number[] | string;

interface PredictMeta {
  question: string;
  kind: "number" | "shape" | "choice";
  answer: Answer;
  tempting: [wrong: Answer, reason: string][];
  why: string;
  /** How far from the answer a number may be. */
  tolerance: number;
}

/** How answers of a kind are read from what was typed, and written. */
interface AnswerKind {
  /** What a field for it says while it is empty. */
  example: string;
  /** Reads nothing, undefined, from other texts. */
  read: (text: string) => any;
  write: (answer: any) => string;
}
