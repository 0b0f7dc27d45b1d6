// @ts-check
/** Pasted error messages: found among code, and what their numbers mean. */
import { USUAL_SIZES } from "../calculator/changes.js";

/** @type {{ pattern: RegExp, meaning: string, opening: string }[]} */
const MESSAGES = fromPython("lenet_book.widgets.paste.messages:known")
  .map((/** @type {Record<string, string>} */ message) => ({ ...message, pattern: new RegExp(message.pattern, "m") }));

const LARGEST = 1024; // side of a picture that a message may be about
const CUT = "This is the beginning of a message of PyTorch's. Paste the whole of it: " +
  "its numbers say what came and what was needed.";
const TRACEBACK = /^-{20,}$|Traceback \(most recent call last\)|^\s*File "/;
const ERROR = /^(E\s+)?[\w.]*(Error|Exception|Warning|Interrupt)(: |$)/;
const CODE = /^(>>> |```|class|def|import|from|@|#|\w[\w., ]* = )/; // what may follow a message

/**
 * Tell messages from code. What belongs to a message is blank in the code, so that every line and
 * column stays where it was.
 *
 * @param {string} text @returns {{ code: string, message: string, lines: Set<number> }}  those of messages, from 0
 */
export function splitMessage(text) {
  const all = text.split("\n");
  const lines = new Set(/** @type {number[]} */ ([]));
  let state = "code";
  all.forEach((line, index) => {
    if (TRACEBACK.test(line)) state = "traceback";
    else if (ERROR.test(line.trim())) state = "message";
    else if (CODE.test(line)) state = "code";
    const isSentence = /^\S/.test(line) && !line.includes(" #") && meaningOf(line);
    if (state !== "code" || isSentence) lines.add(index);
  });
  const part = (/** @type {boolean} */ isMessage) =>
    all.map((line, index) => (lines.has(index) === isMessage ? line : " ".repeat(line.length))).join("\n");
  return { code: part(false), message: part(true).trim(), lines };
}

/** What a message says, in plain words; null if it is not known. @param {string} message @returns {Meaning | null} */
export function meaningOf(message) {
  for (const { pattern, meaning } of MESSAGES) {
    const found = pattern.exec(message);
    if (!found) continue;
    const words = meaning.replace(/\{(\d)\}/g, (_, group) => found[group]);
    return { quote: found[0], meaning: oneImage(found) ?? words, ...found.groups };
  }
  const { opening = "" } = MESSAGES.find((known) => known.opening && message.includes(known.opening)) ?? {};
  return opening ? { quote: opening, meaning: CUT } : null;
}

/** Where rows times features was needed, a picture came without the batch axis. @param {RegExpExecArray} found */
function oneImage([quote, rows, features, needed]) {
  if (!quote.startsWith("mat1 and mat2 shapes") || Number(rows) * Number(features) !== Number(needed)) return null;
  return `${rows}·${features} = ${needed}: one picture came, without the batch axis, and its ${rows} channels were ` +
    `taken for pictures of ${features} numbers each. image.unsqueeze(0) makes a batch of one.`;
}

/**
 * The shape of an image with which code gives a message; empty where there is none.
 *
 * @param {Meaning} said @param {number[]} imageShape @param {(shape: number[]) => Reading} read
 */
export function shapeGiving({ needed = "", came = "", shape }, imageShape, read) {
  const [channels, , isOfPixels] = imageShape;
  const sided = (/** @type {number} */ side) => [channels, side, side];
  let [low, high] = [1, LARGEST]; // what comes grows with the pictures
  while (isOfPixels && low < high) {
    const side = Math.floor((low + high) / 2);
    const { problem } = read(sided(side));
    if (problem?.kind === "size" || Number(problem ? problem.came : needed) < Number(came)) low = side + 1;
    else high = side;
  }
  const candidates = shape ? [shape.split(", ").slice(1).map(Number)] : [...USUAL_SIZES, low].map(sided);
  return candidates.find((candidate) => {
    const numbers = /** @type {string[]} */ (read(candidate).problem?.what.match(/\d+/g) ?? []);
    return numbers.includes(needed) && numbers.includes(came);
  }) ?? [];
}
