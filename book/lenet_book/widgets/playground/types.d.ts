// What the playground's parts hand to each other. Every file knows these names without importing them.

type SlidingWindow = import("../shared/windows.js").SlidingWindow;

/** Rows of numbers. */
type Table = number[][];

/** What slides. */
type Sliding = "conv" | "max" | "avg";

/** What stands in a field: a number, or what was typed instead of one. */
type Entry = number | string;

/** How a number of the output comes about. */
type WindowSum = Extract<Arithmetic, { kind: "conv" | "maxPool" | "avgPool" }>;

/** What lies under the window; and that, with the weights on it and the products. */
type PatchUnder = Patch;
type WeightedPatch = Weighted;
