// @ts-check
/**
 * Why a stack does not fit, in words, and the changes that make it fit, found by trying them: the
 * search and the wording of lenet/shapes (fixes.py, explanations.py).
 */
import { refusalOf } from "../shared/formulas.js";
import { sumOf } from "../shared/numbers.js";
import {
  applyChanges, colourChanges, flattenChanges, isProduct, layoutChanges, ownChange, settingChanges, sizeChanges,
  widthChanges,
} from "./changes.js";
import { diagnose, hasWindows } from "./diagnosis.js";
import { checkSettings } from "./kinds.js";
import { numMacs, runStack } from "./layers.js";
import { torchSentence } from "./sentences.js";

/** @typedef {import("./changes.js").Change} Change */
/** @typedef {import("./diagnosis.js").Problem} Problem */
/** @typedef {import("./kinds.js").Layer} Layer */
/** @typedef {import("./layers.js").Pass} Pass */
/** @typedef {{ changes: Change[], rank: number }} Fix */
/** @typedef {{ rank: number, changes: Iterable<Change>, limit?: number }} Family */
/** @typedef {{ index: number, what: string, why: string, fixes: Fix[], error: string }} Explanation */

const MAX_FIXES = 5;
const MAX_CHAIN = 4; // changes that have to go together
const LUCK = 6; // the rank of a change that only makes a product come out right

/**
 * Explain why a pass stopped or went wrong; null when it did neither.
 *
 * @param {Layer[]} layers @param {number[]} imageShape @param {Pass} pass
 * @returns {Explanation | null}
 */
export function explain(layers, imageShape, pass) {
  const problem = diagnose(pass);
  if (!problem) return null;
  const fixes = new FixSearch(layers, imageShape, pass, problem).fixes();
  return { index: problem.index, what: problem.what, why: causeOf(fixes), fixes, error: torchSentence(problem.step) };
}

/** @param {Fix} fix */
export function fixText(fix) {
  return fix.changes.map((change) => change.text).join(" and ");
}

/** The lines that make a fix; empty when there is no line to write. @param {Fix} fix */
export function fixCode(fix) {
  return fix.changes.map((change) => change.code).filter(Boolean).join("\n");
}

/** @param {Fix[]} fixes */
export function fixesHeading(fixes) {
  if (!fixes.length) return "No single change that was tried makes it work.";
  return `${fixes.length > 1 ? "Any one of these works" : "This works"} (tried):`;
}

/** One search, with the runs it may still make. */
class FixSearch {
  #layers; #imageShape; #problem; #steps; #runsLeft;

  /** @param {Layer[]} layers @param {number[]} imageShape @param {Pass} pass @param {Problem} problem */
  constructor(layers, imageShape, pass, problem) {
    this.#layers = layers;
    this.#imageShape = imageShape;
    this.#problem = problem;
    this.#steps = [...pass.steps.slice(0, problem.index), problem.step];
    const macs = sumOf(pass.steps.map(numMacs));
    this.#runsLeft = Math.max(12, Math.min(400, Math.floor(1e10 / (macs + 1))));
  }

  /**
   * The first change that works from every family; those of rank 0 make all others pointless.
   *
   * @returns {Fix[]}
   */
  fixes() {
    /** @type {Fix[]} */
    const found = [];
    for (const { rank, changes, limit = 1 } of this.#families()) {
      if (found.length === MAX_FIXES || found.some((fix) => fix.rank === 0)) break;
      if (found.length && rank === LUCK) break;
      if (found.filter((fix) => fix.rank === rank).length >= limit) continue;
      const made = this.#first(changes);
      if (made) found.push({ rank, changes: made });
    }
    found.push(...this.#padded(found));
    return found.sort((a, b) => a.rank - b.rank);
  }

  /**
   * Where the maps have to be flattened, keep the features and pad the images instead.
   *
   * @param {Fix[]} found
   * @returns {Fix[]}
   */
  #padded(found) {
    const flattening = found.find(({ changes }) => changes[0].flattens && changes.length > 1);
    for (const { layer } of flattening ? this.#steps.filter(hasWindows) : []) {
      for (const change of settingChanges(layer, "padding")) {
        const changes = [/** @type {Fix} */ (flattening).changes[0], change];
        if (this.#runs(changes)) return [{ rank: 1, changes }];
      }
    }
    return [];
  }

  /** Try changes that belong together. @param {Change[]} changes */
  #runs(changes) {
    if (this.#runsLeft <= 0) return false;
    this.#runsLeft -= 1;
    const pass = this.#attempt(changes);
    return Boolean(pass && !diagnose(pass));
  }

  /** @returns {Iterable<Family>} */
  *#families() {
    const [problem, steps, imageShape] = [this.#problem, this.#steps, this.#imageShape];
    yield { rank: 0, changes: layoutChanges(imageShape) };
    yield { rank: 3, changes: colourChanges(imageShape) };
    yield { rank: 0, changes: flattenChanges(problem.step, steps.slice(0, -1)) };
    const own = ownChange(problem);
    if (own) yield { rank: 2, changes: [own] };
    const isByLuck = isProduct(problem, steps);
    if (!isByLuck) yield { rank: 4, changes: widthChanges(problem, steps) };
    if (problem.kind === "axes" || problem.kind === "channels") return;
    const windowed = steps.filter(hasWindows).map((step) => step.layer);
    for (const layer of windowed) {
      yield { rank: 1, changes: settingChanges(layer, "padding"), limit: 2 };
    }
    yield { rank: 3, changes: sizeChanges(imageShape) };
    for (const setting of ["kernel_size", "stride"]) {
      for (const layer of windowed) yield { rank: 5, changes: settingChanges(layer, setting), limit: 2 };
    }
    if (isByLuck) yield { rank: LUCK, changes: widthChanges(problem, steps) };
  }

  /** @param {Iterable<Change>} candidates @returns {Change[] | null} */
  #first(candidates) {
    for (const change of candidates) {
      const changes = this.#completed(change);
      if (changes) return changes;
    }
    return null;
  }

  /** Make a change, and what has to follow it, until the stack runs; null if it does not. @param {Change} change */
  #completed(change) {
    const changes = [change];
    while (this.#runsLeft > 0 && changes.length <= MAX_CHAIN) {
      this.#runsLeft -= 1;
      const pass = this.#attempt(changes);
      const problem = pass && diagnose(pass);
      if (pass && !problem) return changes;
      const follower = change.leadsOn && problem ? ownChange(problem) : null;
      if (!follower || changes.some((made) => made.layer === follower.layer && !made.flattens)) return null;
      changes.push(follower);
    }
    return null;
  }

  /** Run with changes; null when a changed layer cannot even be made. @param {Change[]} changes */
  #attempt(changes) {
    const { layers, imageShape } = applyChanges({ layers: this.#layers, imageShape: this.#imageShape }, changes);
    const refusal = refusalOf(() => layers.filter((layer) => !this.#layers.includes(layer)).forEach(checkSettings));
    return refusal ? null : runStack(layers, imageShape);
  }
}

/** What is as it is in the places where a fix would change it. @param {Fix[]} fixes */
function causeOf(fixes) {
  const reasons = fixes.filter(reasonOf);
  const aboutImages = reasons.filter((fix) => fix.rank === 0 || fix.rank === 3);
  const aboutLayers = reasons.filter((fix) => !aboutImages.includes(fix));
  return [...aboutImages.slice(0, 1), ...aboutLayers.slice(0, 1)].map(reasonOf).join(" and ");
}

/** What is now, as a cause: of the last change that has one. @param {Fix} fix */
function reasonOf({ changes }) {
  return changes.map((change) => change.reason).filter(Boolean).at(-1) ?? "";
}
