// @ts-check
/**
 * Why a stack does not fit, in words, and the changes that make it fit, found by trying them: the
 * search and the wording of lenet/shapes (fixes.py, explanations.py).
 */
import {
  applyChanges, colourChanges, flattenChanges, isProduct, layoutChanges, ownChanges, pixelRatio, settingChanges, sizeChanges,
  sizesMatter, widthChanges,
} from "./changes.js";
import { diagnose, hasWindows, torchSentence } from "./diagnosis.js";
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
  const isNew = (/** @type {Layer} */ layer) => !layers.includes(layer);
  const search = new FixSearch(imageShape, pass, problem, (changes) => {
    const changed = applyChanges({ layers, imageShape }, changes);
    return firstProblem(changed.layers.filter(isNew)) ? undefined : diagnose(runStack(changed.layers, /** @type {number[]} */ (changed.imageShape)));
  });
  const fixes = search.fixes().map((fix) => ({ ...fix, code: codeOf(fix.changes, layers) }));
  return { index: problem.index, what: problem.what, why: causeOf(fixes) || problem.why, fixes, error: torchSentence(problem.step), tried: [...search.tried] };
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
    const target = `model${name.split(".").map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join("")}`;
    const isNew = mine.some((change) => change.settings);
    const all = Object.assign(settingsOf({ type, settings }), ...mine.map((change) => change.settings));
    const made = isNew ? `nn.${layerCode({ type, settings: all })}` : target;
    const flattens = mine.some((change) => change.flattens);
    return `${target} = ${flattens ? `nn.Sequential(nn.Flatten(), ${made})` : made}`;
  }).join("\n");
}

/** @param {{ fixes: unknown[], tried: string[] }} explanation */
export function fixesHeading({ fixes, tried }) {
  if (!fixes.length) return `No single change that was tried makes it work${tried.length ? `: ${tried.join(", ")}` : ""}.`;
  return `${fixes.length > 1 ? "Any one of these works" : "This works"} (tried):`;
}

/** What all fixes undo: where several would do, none of them is proved to be the cause. @param {Fix[]} fixes */
export function causeOf(fixes) {
  const reasons = new Set(fixes.map(reasonOf));
  return reasons.size === 1 ? [...reasons][0] : "";
}

/** @param {Change[]} some @param {Change[]} others */
function sameChanges(some, others) {
  return fixText({ rank: 0, changes: some }) === fixText({ rank: 0, changes: others });
}

/** What is now, as a cause: of the last change that has one. @param {Fix} fix */
export function reasonOf({ changes }) {
  return changes.findLast((change) => change.reason)?.reason ?? "";
}

/** One search. */
export class FixSearch {
  #imageShape; #problem; #steps; #problemWith; #others;

  /** What was tried, in words. @type {Set<string>} */
  tried = new Set();

  /**
   * @param {number[]} imageShape @param {Pass} pass @param {Problem} problem
   * @param {(changes: Change[]) => Problem | null | undefined} problemWith  what is wrong with changes made: null if nothing is, undefined if they cannot be made
   * @param {(steps: LayerStep[]) => Iterable<Family>} [others]  more families, tried before those of sizes
   */
  constructor(imageShape, pass, problem, problemWith, others = () => []) {
    this.#imageShape = imageShape;
    this.#problem = problem;
    this.#problemWith = problemWith;
    this.#others = others;
    this.#steps = [...pass.steps.slice(0, problem.index), problem.step];
  }

  /** The first change that works from every family; those of rank 0 make all others pointless. */
  fixes() {
    /** @type {Fix[]} */
    const found = [];
    for (const { rank, words, changes, limit = 1 } of this.#families()) {
      if (found.length === MAX_FIXES || found.some((fix) => fix.rank === 0)) break;
      if (found.length && rank === LUCK) break;
      if (found.filter((fix) => fix.rank === rank).length >= limit) continue;
      const made = this.#first(changes, words);
      if (made && !found.some((fix) => sameChanges(fix.changes, made))) found.push({ rank, changes: made });
    }
    found.push(...this.#padded(found));
    return found.sort((a, b) => a.rank - b.rank);
  }

  /** Where the maps have to be flattened, keep the features and pad the images instead. @param {Fix[]} found @returns {Fix[]} */
  #padded(found) {
    const flatten = found.find(({ changes }) => changes[0].flattens && changes.length > 1)?.changes[0];
    for (const { layer } of flatten ? this.#steps.filter(hasWindows) : []) {
      for (const change of settingChanges(layer, "padding")) {
        const changes = [/** @type {Change} */ (flatten), change];
        if (this.#problemWith(changes) === null) return [{ rank: 1, changes }];
      }
    }
    return [];
  }

  /** @returns {Iterable<Family>} */
  *#families() {
    const [problem, steps, imageShape] = [this.#problem, this.#steps, this.#imageShape];
    yield { rank: 0, words: "other layouts of the images", changes: layoutChanges(imageShape, steps) };
    yield { rank: 3, words: "images of other colours", changes: colourChanges(imageShape) };
    yield { rank: 0, words: "flattening", changes: flattenChanges(problem.step, steps.slice(0, -1)) };
    yield* this.#others(steps);
    yield { rank: 2, words: "other sizes of the layer", changes: ownChanges(problem) };
    const widths = { words: "other widths", changes: widthChanges(problem, steps) };
    const isByLuck = isProduct(problem, steps);
    if (!isByLuck) yield { rank: 4, ...widths };
    if (!sizesMatter(problem, steps)) return;
    const windowed = steps.filter((step) => hasWindows(step) && !step.isUnknown).map((step) => step.layer);
    const settings = (/** @type {string[]} */ names, /** @type {number} */ rank) => names.flatMap((name) =>
      windowed.map((layer) => ({ rank, words: `another ${name}`, changes: settingChanges(layer, name), limit: 2 })));
    const paddings = [...settings(["padding", "output_padding"], 1), ...settings(["output_size"], 2)];
    const sizes = { rank: 3, words: "images of other sizes", changes: sizeChanges(imageShape, pixelRatio(problem, steps)) };
    // What a window does not fit is too small, most likely.
    yield* problem.kind === "size" ? [sizes, ...paddings] : [...paddings, sizes];
    yield* settings(["kernel_size", "stride"], 5);
    if (isByLuck) yield { rank: LUCK, ...widths };
  }

  /** @param {Iterable<Change>} candidates @param {string} words */
  #first(candidates, words) {
    for (const change of candidates) {
      this.tried.add(words);
      const changes = this.#completed(change);
      if (changes) return changes;
    }
    return null;
  }

  /** Make a change, and what has to follow it, until the stack runs; null if it does not. @param {Change} change */
  #completed(change) {
    const changes = [change];
    while (changes.length <= MAX_CHAIN) {
      const problem = this.#problemWith(changes);
      if (problem === null) return changes;
      const [follower] = change.leadsOn && problem ? ownChanges(problem) : [];
      if (!follower || changes.some((made) => made.layer === follower.layer && !made.flattens)) return null;
      changes.push(follower);
    }
    return null;
  }
}
