// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine } from "../../../book/lenet_book/widgets/stage/engine.js";
import { linkOf, readLink } from "../../../book/lenet_book/widgets/stage/links.js";
import { strongestBelow, strongestPath } from "../../../book/lenet_book/widgets/stage/explanation.js";
import { addUp, signedText, sumText } from "../../../book/lenet_book/widgets/stage/sums.js";
import { hintOf, sentenceOf, unitText } from "../../../book/lenet_book/widgets/stage/words.js";

// ---------------------------------------------------------------------------- sums

test("terms are rounded so that they add up", () => {
  const texts = (/** @type {number[]} */ terms, /** @type {number} */ total, numFixed = 0) =>
    [sumText(addUp(terms, total, 2, numFixed).terms.map((term) => ["", term])), addUp(terms, total, 2, numFixed).total.toFixed(2)];
  assert.deepEqual(texts([0.104, 0.104, 0.104], 0.312), ["0.11 + 0.10 + 0.10", "0.31"]);
  assert.deepEqual(texts([-0.104, -0.104, -0.104], -0.312), ["−0.11 − 0.10 − 0.10", "-0.31"]);
  assert.deepEqual(texts([5.3599, -0.2593], 5.1006), ["5.36 − 0.26", "5.10"]);
  assert.deepEqual(texts([1.004, 2.003, 0.0049], 3.0119, 1), ["1.01 + 2.00 + 0.00", "3.01"]);
  assert.deepEqual(addUp([], 0).terms, []);
});

test("no sum shows a negative zero", () => {
  assert.equal(sumText([["", -0.001], ["", 0.2], ["bias", -0.004]]), "0.00 + 0.20 + 0.00 (bias)");
  assert.equal(signedText(-0.004), "+0.00");
  assert.equal(signedText(-0.006), "−0.01");
});

// ---------------------------------------------------------------------------- links

test("a link leads back to what it was made of", () => {
  const state = (/** @type {number | null} */ channel) => /** @type {any} */ ({ mode: "forward", step: 4, picked: [3, 2, 5], channel, input: { toText: () => "s7" } });
  const wanted = { mode: "forward", step: 4, unit: [3, 2, 5], weight: [NaN], bias: [NaN], channel: 0, label: null, picture: "s7" };
  assert.equal(linkOf("Stage-1", state(null)), "#Stage-1:step=4;unit=3,2,5;picture=s7");
  assert.deepEqual(readLink("Stage-1", linkOf("Stage-1", state(0)), 14), wanted);
  assert.deepEqual(readLink("Stage-1", linkOf("Stage-1", state(null)), 14), { ...wanted, channel: null });
  assert.deepEqual(readLink("Stage-1", "#Stage-1%3Astep%3D4%3Bunit%3D3%2C2%2C5%3Bchannel%3D0%3Bpicture%3Ds7", 14), wanted);
});

test("a link leads into the walk back", () => {
  const state = /** @type {any} */ ({ mode: "back", step: 4, picked: [], channel: null, input: { toText: () => "s7" } });
  const link = linkOf("Stage-1", state, "weight=3,2,1,1;label=7");
  assert.equal(link, "#Stage-1:back:step=4;weight=3,2,1,1;label=7;picture=s7");
  assert.deepEqual(readLink("Stage-1", link, 14), { mode: "back", step: 4, unit: [NaN], weight: [3, 2, 1, 1], bias: [NaN], channel: null, label: 7, picture: "s7" });
});

test("of a link, any part but the step may be missing", () => {
  const { unit, weight, bias, ...rest } = readLink("Stage-1", "#Stage-1:step=0", 14) ?? { unit: [0], weight: [], bias: [] };
  assert.deepEqual(rest, { mode: "forward", step: 0, channel: null, label: null, picture: null });
  assert.ok(unit.every(Number.isNaN));
  for (const hash of ["", "#", "#Stage-1", "#Stage-1:", "#Stage-1:step=14", "#Stage-1:step=-1", "#Stage-1:step=1.5", "#Stage-1:back:step=0", "#Stage-2:step=1", "#%E0%A4%A"]) {
    assert.equal(readLink("Stage-1", hash, 14), null, hash);
  }
  assert.equal(readLink("", "#:step=1", 14), null);
});

// ---------------------------------------------------------------------------- the strongest way

/** @param {number[]} shape @param {number[]} data */
const tensor = (shape, data) => ({ shape, data: Float32Array.from(data) });

/** @param {any[]} program @param {Record<string, any>} arrays @param {number[]} picture */
function ran(program, arrays, picture) {
  const engine = new Engine(program, arrays);
  engine.run(picture);
  return engine;
}

const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };

test("the strongest way follows the largest product, the largest number, the larger branch", () => {
  const program = [
    { kind: "input", inputs: [], shape: [1, 4, 4] },
    { kind: "conv", inputs: [0], shape: [2, 4, 4], ...window, kernel: [1, 1], stride: [1, 1], weight: "w", groups: 1 },
    { kind: "relu", inputs: [1], shape: [2, 4, 4] },
    { kind: "sum", inputs: [2, 1], shape: [2, 4, 4] },
    { kind: "maxPool", inputs: [3], shape: [2, 2, 2], ...window },
    { kind: "reshape", inputs: [4], shape: [8] },
    { kind: "linear", inputs: [5], shape: [2], weight: "fc", bias: "b" },
    { kind: "softmax", inputs: [6], shape: [2] },
  ];
  const arrays = {
    w: tensor([2, 1, 1, 1], [1, -1]),
    fc: tensor([2, 8], [...Array(8).fill(0), 1, 1, 1, 2, 0, 0, 0, 0]),
    b: tensor([2], [0, 0]),
  };
  const picture = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 2];
  assert.deepEqual(strongestPath(ran(program, arrays, picture)), [
    { step: 7, unit: [1] },
    { step: 6, unit: [1] },
    { step: 5, unit: [3] },
    { step: 4, unit: [0, 1, 1] },
    { step: 3, unit: [0, 2, 2] },
    { step: 2, unit: [0, 2, 2] }, // the first of two equal branches
    { step: 1, unit: [0, 2, 2] },
    { step: 0, unit: [0, 2, 2] },
  ]);
});

test("padding is no place to come from, even where every product is below zero", () => {
  const program = [
    { kind: "input", inputs: [], shape: [1, 2, 2] },
    { kind: "conv", inputs: [0], shape: [1, 2, 2], kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], weight: "w", groups: 1 },
    { kind: "maxPool", inputs: [1], shape: [1, 2, 2], ...window, padding: [1, 1] },
  ];
  const engine = ran(program, { w: tensor([1, 1, 3, 3], Array(9).fill(-1)) }, [5, 6, 7, 2]);
  assert.deepEqual(strongestBelow(engine, 1, [0, 0, 0]), { step: 0, unit: [0, 1, 1], size: -2 });
  assert.deepEqual(strongestBelow(engine, 2, [0, 1, 1]), { step: 1, unit: [0, 1, 1], size: -20 });
  assert.deepEqual(strongestPath(engine), []); // no scores, no answer
});

test("the strongest way ends at what the page cannot compute", () => {
  const program = [
    { kind: "input", inputs: [], shape: [2] },
    { kind: "recorded", inputs: [0], shape: [2], values: "values", perImage: false },
    { kind: "linear", inputs: [1], shape: [1], weight: "w" },
  ];
  const engine = new Engine(/** @type {any} */ (program), { values: tensor([2], [1, 4]), w: tensor([1, 2], [3, 1]) });
  engine.run([0, 0], 0);
  assert.deepEqual(strongestPath(engine), [{ step: 2, unit: [0] }, { step: 1, unit: [1] }]);
});

// ---------------------------------------------------------------------------- words

test("every step has a plain sentence", () => {
  const step = (/** @type {string} */ kind, /** @type {number[]} */ shape, more = {}) => /** @type {any} */ ({ kind, name: kind, shape, inputs: [0], ...more });
  const below = (/** @type {number[]} */ shape) => step("input", shape, { inputs: [] });
  const said = (/** @type {any} */ input, /** @type {any} */ one) => sentenceOf([input, one], 1);
  assert.match(sentenceOf([below([3, 32, 32])], 0), /sees 32×32 numbers in three colours/);
  const kernel = { kernel: [5, 5] };
  assert.equal(said(below([1, 28, 28]), step("conv", [6, 24, 24], kernel)), "conv asks six questions of every 5×5 patch.");
  assert.equal(said(below([6, 14, 14]), step("conv", [16, 10, 10], kernel)), "conv asks 16 questions of every 5×5 patch, through all six channels at once.");
  assert.match(said(below([6, 14, 14]), step("conv", [6, 10, 10], { ...kernel, groups: 6 })), /, each in one channel\.$/);
  assert.match(said(below([6, 14, 14]), step("conv", [6, 10, 10], { ...kernel, groups: 3 })), /, each through two channels\.$/);
  assert.equal(said(below([120]), step("linear", [1])), "linear adds up all 120 numbers, each with a weight of its own.");
  assert.equal(said(below([120]), step("linear", [84])), "linear adds up all 120 numbers, 84 times, each time with weights of its own.");
  assert.equal(said(below([16, 5, 5]), step("reshape", [400])), "reshape writes the same 400 numbers in another shape: 16×5×5 becomes 400.");
  assert.match(said(below([2]), step("softmax", [2])), /turns two scores into shares/);
  const pools = [step("maxPool", [6, 3, 3], { adaptive: true }), step("avgPool", [6, 3, 3], { adaptive: true }), step("maxPool", [6, 3, 3], { kernel: [2, 3] }), step("avgPool", [6, 3, 3], { kernel: [2, 3] })];
  assert.deepEqual(pools.map((pool) => said(below([6, 9, 9]), pool)), [
    "maxPool keeps the largest number of each of 3×3 parts.",
    "avgPool takes the mean of each of 3×3 parts of a map.",
    "maxPool keeps the largest number of every 2×3 window and drops the rest.",
    "avgPool takes the mean of every 2×3 window.",
  ]);
  assert.equal(sentenceOf([below([2]), step("relu", [2]), step("sum", [2], { inputs: [0, 1] })], 2), "sum adds input and relu, number by number.");
  for (const kind of ["relu", "batchNorm", "logSoftmax", "recorded", "identity", "tanh", "something else"]) {
    assert.match(said(below([2]), step(kind, [2])), /^[a-zA-Z ]+ .+\.$/);
  }
});

test("units are named by what their places mean", () => {
  assert.deepEqual([[7], [1, 2], [3, 4, 5], [1, 2, 3, 4]].map(unitText), ["number 7", "row 1, column 2", "channel 3, row 4, column 5", "axis 1 1, axis 2 2, axis 3 3, axis 4 4"]);
});

test("a hint says what one can do", () => {
  const hints = [hintOf(/** @type {any} */ ({ kind: "input" }), false), hintOf(/** @type {any} */ ({ kind: "conv" }), true), hintOf(/** @type {any} */ ({ kind: "relu" }), false)];
  assert.equal(new Set(hints).size, 3);
});
