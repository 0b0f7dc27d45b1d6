// @ts-check
/**
 * Answers questions about the stage's modules: `node ask_stage.js`.
 *
 * Every line of the input is JSON, the name of a question and what it is about; the answer is a
 * line of JSON.
 */
import { createInterface } from "node:readline";
import { isUnit } from "../../../book/lenet_book/widgets/stage/explanation.js";
import { readLink } from "../../../book/lenet_book/widgets/stage/links.js";
import { addUp, signedText, sumText } from "../../../book/lenet_book/widgets/stage/sums.js";
import { numberText } from "../../../book/lenet_book/widgets/shared/text.js";

/** @type {Record<string, (...given: any[]) => unknown>} */
const answers = {
  sum(terms, total, decimals, numFixed) {
    const shown = addUp(terms, total, decimals, numFixed);
    const inColumn = shown.terms.map((term) => signedText(term, decimals));
    return { inColumn, inLine: sumText(shown.terms.map((term) => ["", term]), decimals), total: numberText(shown.total, decimals) };
  },
  link(hash, numSteps) {
    const wanted = readLink("Stage-1", hash, numSteps);
    return wanted && { ...wanted, isUnit: isUnit(wanted.unit, [3, 4, 5]) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [question, ...given] = JSON.parse(line);
  console.log(JSON.stringify(answers[question](...given)));
}
