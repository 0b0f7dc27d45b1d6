// @ts-check
/**
 * Why a stack does not fit, in words, and the changes that make it fit, found by trying them: the
 * search and the wording of lenet/shapes (fixes.py, explanations.py).
 */
import {
  applyChanges, axesChanges, colourChanges, flattenChanges, isProduct, layoutChanges, ownChanges, pixelRatio, rowChanges,
  settingChanges, sizeChanges, sizesMatter, widthChanges,
} from "./changes.js";
import { diagnose, hasWindows, layerPath, torchSentence } from "./diagnosis.js";
import { firstProblem } from "./editing.js";
import { layerCode, settingsOf } from "./kinds.js";
import { runStack } from "./layers.js";

const MAX_FIXES = 5;
const MAX_CHAIN = 4; // changes that have to go together
const LUCK = 6; // the rank of a change that only makes a product come out right

/** Explain why a pass stopped or went wrong; null when it did neither. @param {Layer[]} layers @param {number[]} imageShape @param {Pass} pass */
export function explain(layers, imageShape, pass) {
  const problem = diagnose(pass);
  if (!problem) return null;
  const { fixes, why, tried } = searchFixes(imageShape, pass, problem, (changes) => {
    const changed = applyChanges({ layers, imageShape }, changes);
    const isPossible = !firstProblem(changed.layers.filter((layer) => !layers.includes(layer)));
    return isPossible ? diagnose(runStack(changed.layers, /** @type {number[]} */ (changed.imageShape))) : undefined;
  });
  const written = fixes.map((fix) => ({ ...fix, code: codeOf(fix.changes, layers) }));
  return { index: problem.index, what: problem.what, why, fixes: written, error: torchSentence(problem.step), tried };
}

/** @param {Fix} fix */
export function fixText(fix) {
  return fix.changes.map((change) => change.text).join(" and ");
}

/** The lines that make changes; of other images the words say it. @param {Change[]} changes @param {Layer[]} layers */
function codeOf(changes, layers) {
  const names = new Set(changes.flatMap(({ layer }) => layer ?? []));
  return [...names].map((name) => {
    const mine = changes.filter((change) => change.layer === name);
    const { type, settings } = /** @type {Layer} */ (layers.find((layer) => layer.name === name));
    const target = `model${layerPath(name)}`;
    const isNew = mine.some((change) => change.settings || change.instead);
    const all = Object.assign(settingsOf({ type, settings }), ...mine.map((change) => change.settings));
    const { instead = type } = mine.find((change) => change.instead) ?? {};
    const made = isNew ? `nn.${layerCode({ type: instead, settings: all })}` : target;
    const flattens = mine.some((change) => change.flattens);
    return `${target} = ${flattens ? `nn.Sequential(nn.Flatten(), ${made})` : made}`;
  }).join("\n");
}

/** @param {{ fixes: unknown[], tried: string[] }} explanation */
export function fixesHeading({ fixes, tried }) {
  if (!fixes.length) return `No single change was found that makes it work.${tried.length ? ` Tried: ${tried.join(", ")}.` : ""}`;
  return `${fixes.length > 1 ? "Any one of these works" : "This works"} (tried):`;
}

/** What is now, as a cause: of the last change that has one. @param {Fix} fix */
export function reasonOf({ changes }) {
  return changes.findLast((change) => change.reason)?.reason ?? "";
}

/**
 * Search for changes with which all runs, say what they have in common, and what was tried.
 *
 * @param {number[]} imageShape @param {Pass} pass @param {Problem} problem @param {Trial} problemWith
 * @param {(steps: LayerStep[]) => Iterable<Family>} [others]  more families, tried before those of sizes
 */
export function searchFixes(imageShape, pass, problem, problemWith, others = () => []) {
  const steps = [...pass.steps.slice(0, problem.index), problem.step];
  /** @type {Set<string>} */
  const tried = new Set();
  /** @type {Fix[]} */
  const fixes = [];
  // The first change that works from every family is enough; one of rank 0 makes all others pointless.
  for (const { rank, words, changes, limit = 1 } of families(problem, steps, imageShape, others)) {
    if (fixes.length === MAX_FIXES || fixes.some((fix) => fix.rank === 0) || (fixes.length && rank === LUCK)) break;
    if (fixes.filter((fix) => fix.rank === rank).length >= limit) continue;
    for (const change of changes) {
      tried.add(words);
      const made = { rank, changes: completed(change, problemWith) };
      if (!made.changes.length) continue;
      if (!fixes.some((fix) => fixText(fix) === fixText(made))) fixes.push(made);
      break;
    }
  }
  fixes.push(...padded(fixes, steps, problemWith));
  const reasons = new Set(fixes.map(reasonOf)); // where several would do, none of them is proved to be the cause
  const why = (reasons.size === 1 && reasonOf(fixes[0])) || problem.why;
  return { fixes: fixes.sort((a, b) => a.rank - b.rank), why, tried: [...tried] };
}

/** Make a change, and what has to follow it, until the stack runs; none if it does not. @param {Change} change @param {Trial} problemWith */
function completed(change, problemWith) {
  const changes = [change];
  while (changes.length <= MAX_CHAIN) {
    const problem = problemWith(changes);
    if (problem === null) return changes;
    const [follower] = change.leadsOn && problem ? followers(problem) : [];
    if (!follower || changes.some((made) => made.layer === follower.layer && !made.flattens)) return [];
    changes.push({ ...follower, reason: "" }); // the cause is what comes first
  }
  return [];
}

/** What may have to follow another change. @param {Problem} problem @returns {Change[]} */
function followers(problem) {
  return [...flattenChanges(problem.step, problem.before), ...ownChanges(problem), ...axesChanges([problem.step])];
}

/** Where the maps have to be flattened, keep the features and pad the images instead. @param {Fix[]} fixes @param {LayerStep[]} steps @param {Trial} problemWith @returns {Fix[]} */
function padded(fixes, steps, problemWith) {
  const flatten = fixes.find(({ changes }) => changes[0].flattens && changes.length > 1)?.changes[0];
  if (!flatten) return [];
  const paddings = steps.filter(hasWindows).flatMap(({ layer }) => [...settingChanges(layer, "padding")]);
  const padding = paddings.find((change) => problemWith([flatten, change]) === null);
  return padding ? [{ rank: 1, changes: [flatten, padding] }] : [];
}

/** @param {Problem} problem @param {LayerStep[]} steps @param {number[]} imageShape @param {(steps: LayerStep[]) => Iterable<Family>} others @returns {Iterable<Family>} */
function* families(problem, steps, imageShape, others) {
  yield { rank: 0, words: "other layouts of the images", changes: layoutChanges(imageShape, steps) };
  yield { rank: 3, words: "images of other colours", changes: colourChanges(imageShape) };
  yield { rank: 0, words: "layers for other axes", changes: axesChanges(steps) };
  yield { rank: 0, words: "flattening", changes: flattenChanges(problem.step, steps.slice(0, -1)) };
  yield { rank: 1, words: "images as rows", changes: rowChanges(imageShape, steps) };
  yield* others(steps);
  yield { rank: 2, words: "other sizes of the layer", changes: ownChanges(problem) };
  const widths = { words: "other widths", changes: widthChanges(problem, steps) };
  const isByLuck = isProduct(problem, steps);
  if (!isByLuck) yield { rank: 4, ...widths };
  if (!sizesMatter(problem, steps)) return;
  const windowed = steps.filter((step) => hasWindows(step) && !step.isUnknown).map((step) => step.layer);
  if (problem.kind === "size") windowed.reverse(); // of the failing layer, most likely
  const settings = (/** @type {string[]} */ names, /** @type {number} */ rank) => names.flatMap((name) =>
    windowed.map((layer) => ({ rank, words: `another ${name}`, changes: settingChanges(layer, name), limit: 2 })));
  const paddings = [...settings(["padding", "output_padding"], 1), ...settings(["output_size"], 2)];
  const sizes = { rank: 3, words: "images of other sizes", changes: sizeChanges(imageShape, pixelRatio(problem, steps)) };
  // What a window does not fit is too small, most likely.
  yield* problem.kind === "size" ? [sizes, ...paddings] : [...paddings, sizes];
  yield* settings(["kernel_size", "stride"], 5);
  if (isByLuck) yield { rank: LUCK, ...widths };
}
