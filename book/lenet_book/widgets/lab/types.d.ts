/** A way to break a training loop, and what a reader learns from it. */
interface Fault {
  name: string;
  title: string;
  /** The name of the loop that it is compared with. */
  healthy: string;
  seen: string;
  check: string;
  fix: string;
  /** Does it learn nothing? */
  flat: boolean;
  difference: string[];
}

interface LabMeta {
  faults: Fault[];
  loops: Record<string, { title: string; late: number[] }>;
  /** Of the loops in the arrays. */
  order: string[];
  numClasses: number;
  origin: string;
}
