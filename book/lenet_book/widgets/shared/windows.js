// @ts-check
/** Windows that slide along one axis: where they stop, and which pixels lie under them there. */

/** A kernel along one axis of an input; what its padding means, the kinds of axes say. */
export class KernelAxis {
  /** @param {number} inputSize @param {number} kernelSize @param {number} stride @param {number} padding @param {number} dilation */
  constructor(inputSize, kernelSize, stride, padding, dilation) {
    this.inputSize = inputSize;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
  }

  /** Pixels from the kernel's first weight to its last. */
  get span() {
    return this.dilation * (this.kernelSize - 1) + 1;
  }

  /** The span as a formula has it: `5`, `2·(5 − 1) + 1`. */
  get spanText() {
    return this.span === this.kernelSize ? `${this.kernelSize}` : `${this.dilation}·(${this.kernelSize} − 1) + 1`;
  }
}

/** A kernel sliding along one axis; `padding` counts the pixels added at both ends together, and an odd one has its larger part behind the last pixel. */
export class SlidingWindow extends KernelAxis {
  /** @param {number} inputSize @param {number} kernelSize @param {number} stride @param {number} padding @param {number} dilation @param {boolean} ceilMode */
  constructor(inputSize, kernelSize, stride, padding, dilation, ceilMode = false) {
    super(inputSize, kernelSize, stride, padding, dilation);
    this.ceilMode = ceilMode;
  }

  /** Padded pixels in front of the first one. */
  get paddingBefore() {
    return Math.floor(this.padding / 2);
  }

  /** How far the kernel can move over the padded input. */
  get way() {
    return this.inputSize + this.padding - this.span;
  }

  /** Padded pixels behind the kernel's last full position. */
  get remainder() {
    return this.way - Math.floor(this.way / this.stride) * this.stride;
  }

  /** The number of positions at which the kernel stops. */
  get outputSize() {
    if (!this.ceilMode) return Math.floor(this.way / this.stride) + 1;
    return Math.ceil(this.way / this.stride) + 1 - Number(this.leavesOneOut);
  }

  /** Did rounding up give a window that starts behind the input, which PyTorch drops? */
  get leavesOneOut() {
    const last = Math.ceil(this.way / this.stride) * this.stride;
    return this.ceilMode && last >= this.inputSize + this.paddingBefore;
  }

  /** The pixels under the kernel's weights; those in the padding lie below 0 or behind the last one. @param {number} stop  which of the positions it is */
  pixelsAt(stop) {
    const first = stop * this.stride - this.paddingBefore;
    return Array.from({ length: this.kernelSize }, (_, weight) => first + weight * this.dilation);
  }

  /** How many pixels of a stop an average counts. @param {number} stop @param {boolean} countPadding */
  numCounted(stop, countPadding) {
    const margin = countPadding ? this.paddingBefore : 0;
    return this.pixelsAt(stop).filter((pixel) => pixel >= -margin && pixel < this.inputSize + margin).length;
  }

  /** The pixels, padding included, that lie under no weight at any stop. */
  get unseenPixels() {
    const seen = new Set(Array.from({ length: this.outputSize }, (_, stop) => this.pixelsAt(stop)).flat());
    const pixels = Array.from({ length: this.inputSize + this.padding }, (_, pixel) => pixel - this.paddingBefore);
    return pixels.filter((pixel) => !seen.has(pixel));
  }

  /** The formula with this window's numbers: `⌊(28 + 2·2 − 5) / 1⌋ + 1 = 28`. */
  get formula() {
    const [left, right] = this.ceilMode ? "⌈⌉" : "⌊⌋";
    const twice = this.padding % 2 ? `${this.padding}` : `2·${this.padding / 2}`;
    const padding = this.padding ? ` + ${twice}` : "";
    const span = this.span === this.kernelSize ? this.spanText : `(${this.spanText})`;
    const leftOut = this.leavesOneOut ? " − 1" : "";
    return `${left}(${this.inputSize}${padding} − ${span}) / ${this.stride}${right} + 1${leftOut} = ${this.outputSize}`;
  }

  /** What happens when the stride does not divide the way; else empty. */
  get note() {
    if (!this.remainder) return "";
    const steps = this.way / this.stride;
    const rounded = this.outputSize - 1;
    const shown = Number(steps.toPrecision(6));
    if (rounded > steps) return `${shown} is rounded up to ${rounded}: the last window reaches past the edge`;
    const unseen = this.remainder - (this.padding - this.paddingBefore);
    const pixels = unseen === 1 ? "pixel" : `${unseen} pixels`;
    const what = unseen > 0 ? `the last ${pixels}` : "the end of the padding";
    const how = this.leavesOneOut ? `up to ${rounded + 1}, but the window that starts behind the input is left out` : `down to ${rounded}`;
    return `${shown} is rounded ${how}: no window reaches ${what}`;
  }
}

/** A window of adaptive pooling, as wide at every stop as the number of stops demands. */
export class AdaptiveWindow {
  /** @param {number} inputSize @param {number} outputSize */
  constructor(inputSize, outputSize) {
    this.inputSize = inputSize;
    this.outputSize = outputSize;
  }

  /** The pixels under the window. @param {number} stop */
  pixelsAt(stop) {
    const first = Math.floor((stop * this.inputSize) / this.outputSize);
    const end = Math.ceil(((stop + 1) * this.inputSize) / this.outputSize);
    return Array.from({ length: end - first }, (_, i) => first + i);
  }

  /** How many pixels of a stop an average counts. @param {number} stop */
  numCounted(stop) {
    return this.pixelsAt(stop).length;
  }
}
