// @ts-check
/** What a number went through, line by line, where there is no picture of it. */
import { addUp, signedText } from "./sums.js";
import { element } from "../shared/elements.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("./explanation.js").Arithmetic} Arithmetic */

/** @param {Arithmetic} arithmetic @param {string[]} inputs  names of the steps that go in @returns {[what: string, number: string][]} */
function linesOf(arithmetic, inputs) {
  switch (arithmetic.kind) {
    case "batchNorm": {
      const { value, mean, deviation, weight, bias, result } = arithmetic;
      const [centred] = [value - mean];
      const first = addUp([value, -mean], centred);
      const last = addUp([result - bias, bias], result);
      return [
        ["goes in", numberText(first.terms[0], 2)],
        ["less the mean", signedText(first.terms[1])],
        ["", `= ${numberText(first.total, 2)}`],
        ["divided by the deviation", `/ ${numberText(deviation)}`],
        ["times the weight", `× ${numberText(weight)}`],
        ["", `= ${numberText(last.terms[0], 2)}`],
        ["plus the bias", signedText(last.terms[1])],
      ];
    }
    case "reshape": {
      const { from, shape, index } = arithmetic;
      if (shape.length !== 3) return [["its place before", String(from)], ["its place now", String(index)]];
      const [channel, row, column] = from;
      const [, height, width] = shape;
      return [
        [`numbers in the ${channel} maps before it: ${channel} × ${height} × ${width}`, String(channel * height * width)],
        [`in the ${row} rows before it: ${row} × ${width}`, `+${row * width}`],
        ["before it in its row", `+${column}`],
        ["its place in the row of all numbers", `= ${index}`],
      ];
    }
    case "sum":
      return addUp(arithmetic.values, arithmetic.result).terms.map((term, i) => [inputs[i], signedText(term)]);
    default:
      return [];
  }
}

export class Lines {
  #body = element("tbody", {});
  node = element("div", { class: "lenet-lines" }, element("table", { class: "lenet-terms" }, this.#body));

  /** @param {Arithmetic} arithmetic @param {string[]} inputs */
  show(arithmetic, inputs) {
    const rows = linesOf(arithmetic, inputs).map(([what, number]) => element("tr", {}, element("th", { scope: "row" }, what), element("td", {}, number)));
    this.#body.replaceChildren(...rows);
  }
}
