// @ts-check
/** What the editor shows of each line: how it looks, and at its end shapes, parameters, or what is wrong. */
import { sumOf } from "../shared/numbers.js";
import { countText, shapeText } from "../shared/text.js";

const MOST_NOTES = 3; // shapes, and visits, at one line's end

/**
 * The lines of a text: messages as they are, the rest as it was read.
 *
 * @param {string} text @param {Set<number>} messages  lines, from 0 @param {Reading} reading @returns {EditorLine[]}
 */
export function editorLines(text, messages, reading) {
  const notes = notesOf(reading);
  const [first, last] = reading.unreached;
  return text.split("\n").map((line, index) => {
    if (messages.has(index)) return { text: line, note: "", state: "message" };
    const isUnreached = line.trim() && first <= index && index < last;
    const other = isUnreached ? { note: "not reached", state: "unreached" } : { note: "", state: "quiet" };
    return { text: line, ...(notes.get(index) ?? other) };
  });
}

/** The code, with what stands at the ends of its lines as comments. @param {EditorLine[]} lines */
export function codeWithNotes(lines) {
  return lines.filter(({ state }) => state !== "message").map(({ text, note }) => {
    const goesOn = text.endsWith("\\"); // no place for a comment
    return note && !goesOn && !text.includes(`# ${note}`) ? `${text}  # ${note}` : text;
  }).join("\n");
}

/** What to say at lines' ends, by their index. @param {Reading} reading */
function notesOf({ rows, given, layers, problem, unread, refusal, inputPlace, imageShape }) {
  /** @type {Map<number, { note: string, state: string }>} */
  const notes = new Map();
  const add = (/** @type {number} */ line, /** @type {string} */ text, state = "") => {
    const { note, state: old } = notes.get(line - 1) ?? { note: "", state: "" };
    notes.set(line - 1, { note: note && state !== "wrong" ? `${note}, ${text}` : text, state: state || old });
  };
  const entry = inputPlace ?? rows[0]?.place;
  if (entry) add(entry.line, shapeText(["N", ...imageShape]));
  for (const [line, visits] of visitsOf({ rows, given })) add(line, visitsText(visits));
  for (const line of new Set(layers.map(({ place }) => place.line))) {
    const count = sumOf(layers.filter(({ place }) => place.line === line).map(({ numParameters }) => numParameters));
    if (count) add(line, `${countText(count)} parameter${count === 1 ? "" : "s"}`);
  }
  for (const { place } of unread) add(place.line, "unknown from here on", "unknown");
  if (problem) add(problem.shown.line, problemText(problem), "wrong");
  if (refusal) add(refusal.place.line, "here", "wrong");
  return notes;
}

/** @param {CodeProblem} problem */
function problemText({ name, needed, came }) {
  const title = /^\d/.test(name) ? "" : `${name} `; // a place in a sequence says no more than the line
  return needed && came ? `${title}needs ${needed}, gets ${came}` : `${title}does not fit`;
}

/** By line, the shapes that it gives, each time that it runs. @param {Pick<Reading, "rows" | "given">} reading */
function visitsOf({ rows, given }) {
  const operations = rows.map(({ shown, isKnown, outputShape }, index) =>
    ({ place: shown, shape: isKnown ? shapeText(outputShape) : "unknown", index }));
  const blocks = given.map(({ place, shape, index }) => ({ place, shape: shapeText(shape), index: index - 0.5 }));
  const all = [...operations, ...blocks].sort((a, b) => a.index - b.index);
  /** @type {Map<number, Visit[]>} */
  const visits = new Map();
  for (const each of all) {
    const { from, to, lastLine } = each.place;
    const here = visits.get(lastLine) ?? [[]];
    const isAgain = here[here.length - 1].some(({ place }) => place.from === from && place.to === to);
    if (isAgain) here.push([]);
    here[here.length - 1].push(each);
    visits.set(lastLine, here);
  }
  return visits;
}

/** @param {Visit[]} visits */
function visitsText(visits) {
  const several = visits.map((visit) => visit[visit.length - 1].shape);
  if (visits.length > MOST_NOTES) several.splice(MOST_NOTES, visits.length, "…");
  if (visits.length > 1) return several.join(", then ");
  const shapes = visits[0].map(({ shape }) => shape).filter((shape, at, all) => shape !== all[at - 1]);
  return shapes.length > MOST_NOTES ? `… → ${several[0]}` : shapes.join(" → ");
}
