// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { DRAWN, OWN, PENS, Picture } from "../../../book/lenet_book/widgets/stage/input/picture.js";
import { Drawing } from "../../../book/lenet_book/widgets/stage/input/drawing.js";

/** Numbers from 0 to 1 that are the same every time. @param {number} seed */
function random(seed) {
  return () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
}

/** The input of a network for pictures of one size, with three samples. @param {number[]} shape */
function input(shape = [1, 28, 28]) {
  /** @type {Record<string, any>} */
  const values = { sample: 0 };
  const model = { get: (key) => values[key], set: (key, value) => (values[key] = value), save_changes() {}, on() {}, off() {} };
  const meta = { steps: [{ kind: "input", shape }], classes: [..."0123456789"], labels: null, mean: [0.25], std: [0.5], draw: true };
  const length = shape.reduce((a, b) => a * b);
  const pictures = { shape: [3, ...shape], data: Uint8Array.from({ length: 3 * length }, (_, i) => (7 * i) % 256) };
  return new Picture(model, /** @type {any} */ (meta), shape, pictures);
}

/** Draw at random, also beyond the pad's edge, in long and short steps, and now and then on the spot. @param {Picture} picture @param {() => number} next */
function scribble(picture, next) {
  for (let stroke = Math.floor(4 * next()); stroke >= 0; stroke--) {
    picture.pen = Object.values(PENS)[Math.floor(3 * next())];
    let place = [1.2 * next() - 0.1, 1.2 * next() - 0.1];
    const drawn = picture.begin(/** @type {any} */ (place));
    for (let step = Math.floor(40 * next()); step > 0; step--) {
      const reach = next() < 0.2 ? 1 : 0.06;
      place = place.map((share) => share + (next() < 0.1 ? 0 : reach * (next() - 0.5)));
      picture.extend(drawn, [/** @type {any} */ (place)]);
    }
  }
}

test("a link holds a drawing to the last pixel", () => {
  const next = random(1);
  for (let turn = 0; turn < 300; turn++) {
    const [drawn, restored] = [input(), input()];
    scribble(drawn, next);
    drawn.compute();
    const text = drawn.toText();
    assert.match(text, /^d[\w-]*$/);
    assert.ok(restored.fromText(text));
    restored.compute();
    assert.equal(restored.sample, DRAWN);
    assert.deepEqual(restored.strokes, drawn.strokes);
    assert.deepEqual(restored.values, drawn.values);
    assert.equal(restored.toText(), text);
  }
});

test("a link holds a sample, an empty pad and a picture of the reader's own", () => {
  for (const shape of [[1, 28, 28], [3, 32, 32]]) {
    const [shown, restored] = [input(shape), input(shape)];
    const pixels = Uint8ClampedArray.from({ length: shown.values.length }, (_, i) => (31 * i) % 256);
    shown.own = { pixels, stages: [] };
    for (const [sample, text] of [[2, /^s2$/], [DRAWN, /^d$/], [OWN, /^p[\w-]+$/]]) {
      shown.choose(Number(sample));
      shown.compute();
      assert.match(shown.toText(), /** @type {RegExp} */ (text));
      assert.ok(restored.fromText(shown.toText()));
      restored.compute();
      assert.equal(restored.sample, sample);
      assert.deepEqual(restored.values, shown.values);
      assert.equal(restored.stages.length, sample === OWN ? 1 : 0);
    }
  }
});

test("a text that is no picture changes nothing", () => {
  const next = random(2);
  const picture = input();
  scribble(picture, next);
  const before = picture.toText();
  const signs = "dsp0123456789abzAZ-_%=+/ \u00e9";
  const guesses = Array.from({ length: 3000 }, () =>
    Array.from({ length: 1 + Math.floor(12 * next()) }, () => signs[Math.floor(signs.length * next())]).join(""),
  );
  const cut = Array.from({ length: before.length - 1 }, (_, i) => before.slice(0, i + 2)).filter((text) => text !== before);
  for (const text of ["", "s", "s3", "s-1", "s1.5", "s00000001", "p", "d!", "dA", "x", "p" + "A".repeat(1044), ...cut, ...guesses]) {
    const isTaken = picture.fromText(text);
    if (isTaken) assert.ok(/^s0*[0-2]$|^d/.test(text), text);
    else assert.equal(picture.toText(), before, text);
    picture.fromText(before);
  }
});

test("a tap is a round dot in the middle of the picture", () => {
  const { pixels } = new Drawing([{ points: [[0.1, 0.9]], pen: PENS.thin }], 28);
  const rows = Array.from({ length: 28 }, (_, row) => [...pixels.subarray(28 * row, 28 * row + 28)]);
  assert.deepEqual(rows, [...rows].reverse());
  assert.deepEqual(rows, rows[0].map((_, column) => rows.map((row) => row[column])));
  assert.ok(pixels[13 * 28 + 13] > 200);
  assert.equal(pixels[9 * 28 + 13], 0);
});

test("the preparation of a drawing ends in what the network sees", () => {
  const picture = input();
  scribble(picture, random(3));
  assert.deepEqual(picture.stages, []);
  picture.compute();
  assert.deepEqual(picture.stages.map(({ shape }) => shape[1]), [84, 84, 20, 28]);
  const [mean, deviation] = picture.statistics(0);
  const seen = picture.values.map((value) => value * deviation + mean);
  picture.stages[3].values.forEach((ink, at) => assert.ok(Math.abs(ink - seen[at]) <= 1 / 255, `${at}`));
});

test("undo takes back what was done last", () => {
  const picture = input();
  picture.begin([0.1, 0.1]);
  picture.begin([0.9, 0.9]);
  picture.choose(1);
  picture.takeBack(false);
  assert.deepEqual([picture.sample, picture.strokes.length], [DRAWN, 2]);
  picture.takeBack(false);
  assert.equal(picture.strokes.length, 1);
  assert.ok(!picture.isBlank);
  picture.takeBack(false);
  picture.takeBack(false);
  assert.ok(picture.isBlank);
});
