type Score = [loss: number, accuracy: number];

interface ReplayMeta {
  model: string;
  layer: string;
  numFilters: number;
  classes: string[];
  labels: number[];
  /** One pair per epoch, the untrained network's first. */
  scores: { train: Score; test: Score }[];
}
