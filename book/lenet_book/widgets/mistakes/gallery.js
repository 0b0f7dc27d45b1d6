// @ts-check
/** The pictures of one cell, each a button that opens it. */
import { cellText } from "../shared/confusion.js";
import { element } from "../shared/elements.js";
import { sumOf } from "../shared/numbers.js";
import { paintPixels } from "../shared/pictures.js";
import { countText, percentText } from "../shared/text.js";

const PICTURE_SIDE = 72; // CSS pixels
const SUREST = 0.99999; // a softmax never says 1; single precision rounds to it

/** @param {string} name @param {number} share */
function shareText(name, share) {
  return `${name} ${percentText(Math.min(share, SUREST)).replace(" ", "\u00a0")}`;
}

/** @param {ExplorerMeta} meta @param {(place: number) => void} onOpen */
export function gallery({ classes, counts, steps }, onOpen) {
  const [title, facts, rest] = ["lenet-cell-title", null, "lenet-muted"].map((look) => element("p", { class: look }));
  const list = element("ul", { class: "lenet-mistakes" });

  /** @param {Held} picture */
  const item = ({ place, cell: [truth, answer], pixels, answerShare, truthShare }) => {
    const canvas = element("canvas", { "aria-hidden": "true" });
    paintPixels(canvas, pixels, steps[0].shape, PICTURE_SIDE);
    const lines = [
      element("span", { class: "lenet-answer" }, shareText(classes[answer], answerShare)),
      ...(truth === answer ? [] : [element("span", {}, shareText(classes[truth], truthShare))]),
      element("span", { class: "lenet-muted" }, `picture ${place}`),
      element("span", { class: "lenet-aloud" }, "open it in the stepper"),
    ];
    const texts = lines.flatMap((line) => [line, " "]); // spaces keep them apart when read aloud
    const attributes = { type: "button", "aria-pressed": "false", "data-place": place, onclick: () => onOpen(place) };
    return element("li", {}, element("button", attributes, canvas, ...texts));
  };

  /** @param {Cell} cell @param {Held[]} held  its pictures */
  const show = (cell, held) => {
    title.textContent = cellText(classes, cell);
    facts.textContent = cellFacts(classes, counts, cell);
    list.replaceChildren(...held.map(item));
    const more = counts[cell[0]][cell[1]] - held.length;
    const order = held.length > 1 ? "The surest answer comes first." : "";
    rest.textContent = more ? `Shown are the ${held.length} surest answers; ${countText(more)} more are left out.` : order;
  };

  /** @param {number | null} picked */
  const mark = (picked) => {
    for (const button of list.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.place === String(picked)));
  };
  return { node: element("div", { class: "lenet-gallery" }, title, facts, list, rest), texts: [title, facts, rest], show, mark };
}

/** What a cell's count says about its row and its column. @param {string[]} classes @param {number[][]} counts @param {Cell} cell */
function cellFacts(classes, counts, [truth, answer]) {
  const [trueName, answerName] = [classes[truth], classes[answer]];
  const count = counts[truth][answer];
  if (!count) return `No picture of ${trueName} is ${truth === answer ? "recognised" : `called ${answerName}`}.`;
  const [ofTruth, ofAnswer] = [sumOf(counts[truth]), sumOf(counts.map((row) => row[answer]))];
  const [recall, precision] = [percentText(count / ofTruth), percentText(count / ofAnswer)];
  const row = `Of ${countText(ofTruth)} pictures of ${trueName}, ${countText(count)}`;
  const column = `Of ${countText(ofAnswer)} that are called ${answerName}`;
  return truth === answer
    ? `${row} are recognised: ${recall}, the recall of this class. ${column}, they make up ${precision}, its precision.`
    : `${row} are called ${answerName}: ${recall}. ${column}, they make up ${precision}.`;
}
