/** A picture that the explorer holds. */
interface Held {
  /** Its place among all pictures. */
  place: number;
  cell: Cell;
  pixels: Numbers;
  /** Of the class that the network names. */
  answerShare: number;
  /** Of the true class. */
  truthShare: number;
}

/** What a stepper on all pictures takes, and the counts of the confusion matrix. */
interface ExplorerMeta extends StageMeta {
  labels: number[];
  /** Rows are true classes, columns answers. */
  counts: number[][];
  arrays: ArrayEntry[];
}
