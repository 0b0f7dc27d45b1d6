// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { halfToNumber } from "../../../book/lenet_book/widgets/shared/arrays.js";
import { numberText, percentText, shapeText } from "../../../book/lenet_book/widgets/shared/text.js";

test("halves are read bit by bit", () => {
  const halves = [0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x8000, 0x3555];
  const numbers = [1, -2, 2 ** -24, 65504, -Infinity, -0, 0.333251953125];
  assert.deepEqual(halves.map(halfToNumber), numbers);
  assert.ok(Number.isNaN(halfToNumber(0x7e00)));
});

test("numbers have a true minus sign and no negative zero", () => {
  assert.equal(numberText(-1.23456), "−1.2346");
  assert.equal(numberText(-0.00001), "0.0000");
  assert.equal(numberText(-Infinity), "−Infinity");
});

test("shapes are written as Python writes them", () => {
  assert.equal(shapeText([10]), "(10,)");
  assert.equal(shapeText(["N", 6, 24, 24]), "(N, 6, 24, 24)");
});

test("shares are written as percentages", () => {
  assert.equal(percentText(0.905), "90.5 %");
  assert.equal(percentText(0.255, 0), "26 %");
});

test("a share is none or all only if it is exactly that", () => {
  const shares = [0, 1e-9, 0.000999, 0.001, 0.999, 0.9991, 1 - 1e-9, 1];
  assert.deepEqual(shares.map((share) => percentText(share)), [
    "0.0 %", "<0.1 %", "<0.1 %", "0.1 %", "99.9 %", ">99.9 %", ">99.9 %", "100.0 %",
  ]);
  assert.deepEqual([0.004, 0.01, 0.996, 1].map((share) => percentText(share, 0)), ["<1 %", "1 %", ">99 %", "100 %"]);
});
