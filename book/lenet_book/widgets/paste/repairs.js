// @ts-check
/** Why pasted code does not work, and edits of it that make it work: each was made, and the code read again. */
import { diagnose, losesBatch, takesBatchSecond, torchSentence } from "../calculator/diagnosis.js";
import { fixText, reasonOf, searchFixes } from "../calculator/fixes.js";
import { kindOf, settingText } from "../calculator/kinds.js";
import { productOf } from "../shared/numbers.js";
import { Program } from "./reader.js";
import { CALLS } from "./torch.js";
import { Unreadable, isMethodCall, operandsOf, placeOf } from "./tree.js";

const MAX_TRIES = 400;

/** What may be meant by a call that changes axes. @type {Record<string, (given: string) => string[]>} */
const MEANT = {
  view: (given) => [`.reshape(${given})`, ".flatten(1)"],
  reshape: () => [".flatten(1)"], flatten: () => [".flatten(1)"], squeeze: () => [".flatten(1)"],
  t: () => [""], transpose: () => [""], permute: () => [""],
};

/** Make edits of code; each stands at a place of its own. @param {string} code @param {CodeEdit[]} edits */
export function applyEdits(code, edits) {
  const last = [...edits].sort((a, b) => b.from - a.from || b.to - a.to);
  return last.reduce((text, { from, to, new: made }) => text.slice(0, from) + made + text.slice(to), code);
}

/** What is wrong, with the edits that mend it; null where nothing is. @param {Reading} reading */
export function explainReading(reading) {
  return reading.program?.problem ? new Repairs(reading).explanation() : null;
}

/** The changes of one reading that are tried. */
class Repairs {
  #reading; #code; #tries = 0;
  /** What cannot be read behind changes. @type {Reading["unread"]} */
  #unread = [];

  /** @param {Reading} reading */
  constructor(reading) {
    this.#reading = reading;
    this.#code = reading.code;
  }

  /** @returns {CodeExplanation} */
  explanation() {
    const { imageShape, program: { pass, problem } } = this.#reading;
    const { what, step } = problem;
    const families = (/** @type {LayerStep[]} */ steps) => this.#families(problem, /** @type {CodeStep[]} */ (steps));
    const { fixes, why, tried } = searchFixes(imageShape, pass, problem, (changes) => this.#problemWith(changes), families);
    return {
      what,
      why,
      fixes: fixes.map((fix) => this.#written(fix)),
      tried,
      unread: (!fixes.length && this.#unread[0]) || null,
      error: step.misfit && step.module ? torchSentence(step) : "",
    };
  }

  /** Make changes in the code and read it again. @param {Change[]} changes */
  #problemWith(changes) {
    const { imageShape, network, program: { program } } = this.#reading;
    const edits = this.#editsOf(changes);
    this.#tries += 1;
    if (!edits || this.#tries > MAX_TRIES) return undefined;
    try {
      const changed = edits.length ? new Program(applyEdits(this.#code, edits), network) : program;
      const pass = changed.pass(shapeWith(changes) ?? imageShape, changes.some(({ isTurned }) => isTurned));
      this.#unread.push(.../** @type {Program} */ (changed).unreadIn(pass));
      return pass.unread.length ? undefined : diagnose(pass);
    } catch (error) {
      if (error instanceof Unreadable) return undefined;
      throw error;
    }
  }

  /** A fix as the page shows it. @param {Fix} fix @returns {CodeFix} */
  #written(fix) {
    const edits = (this.#editsOf(fix.changes) ?? []).sort((a, b) => a.from - b.from);
    const changed = applyEdits(this.#code, edits);
    let shift = 0;
    const lines = edits.map(({ from, old, new: made }) => {
      const { line } = placeOf(changed, from + shift, from + shift);
      shift += made.length - old.length;
      return changed.split("\n")[line - 1].trim();
    });
    const imageShape = shapeWith(fix.changes);
    const words = { text: fixText(fix), reason: reasonOf(fix), rank: fix.rank };
    return { ...words, edits, lines: [...new Set(lines)], ...(imageShape && { imageShape }) };
  }

  // -------------------------------------------------------------------------- changes as edits

  /** Changes as edits; null where one cannot be written. @param {Change[]} changes @returns {CodeEdit[] | null} */
  #editsOf(changes) {
    const ofCode = changes.filter(({ imageShape }) => !imageShape);
    const made = ofCode.map((change) => change.edits ?? this.#stepEdits(/** @type {any} */ (change.of).step, change));
    const edits = made.flatMap((each) => each ?? []);
    const overlap = edits.some((edit, index) => edits.slice(0, index).some((other) => overlaps(edit, other)));
    return made.includes(null) || overlap ? null : edits;
  }

  /** @param {CodeStep} step @param {Change} change @returns {CodeEdit[] | null} */
  #stepEdits({ node, module, layer, isInSequence }, { settings = {}, flattens }) {
    if (flattens && isInSequence) {
      const { from, kids: [callee] } = module.made;
      return [this.#edit({ from, to: from }, `${callee.text.replace(/\w+$/, "Flatten()")}, `)];
    }
    const [operand] = operandsOf(node, Boolean(module));
    if (flattens) return operand ? [this.#edit(operand, this.#with(operand, ".flatten(1)"))] : [];
    if (module) return this.#argumentEdits(module.made, Object.keys(kindOf(layer).settings), settings, module.scope);
    const names = CALLS[layer.name]?.names ?? [];
    const isPossible = Object.keys(settings).every((name) => names.includes(name)); // the sizes of weights are theirs
    if (!isPossible || node.type !== "CallExpression") return null;
    return this.#argumentEdits(node, isMethodCall(node) ? names.slice(1) : names, settings, null);
  }

  /**
   * Give a call other arguments, and leave the rest of it as it is.
   *
   * @param {PyNode} call @param {string[]} names @param {Settings} settings @param {Scope | null} scope
   */
  #argumentEdits(call, names, settings, scope) {
    const given = call.arguments;
    const placed = given.map(({ name, node }, index) => ({ name: name || names[index], node }));
    const edits = Object.entries(settings).flatMap(([name, value]) => {
      const at = placed.find((each) => each.name === name);
      return at ? [this.#edit(writtenAt(at.node, scope), settingText(value))] : [];
    });
    const added = Object.keys(settings).filter((name) => !placed.some((each) => each.name === name));
    const end = { from: call.to - 1, to: call.to - 1 };
    const comma = !given.length ? "" : /,\s*$/.test(this.#code.slice(call.from, end.to)) ? " " : ", ";
    const written = added.map((name) => `${name}=${settingText(settings[name])}`).join(", ");
    if (written) edits.push(this.#edit(end, comma + written));
    return given.some((each) => each.star) ? null : edits;
  }

  /** @param {{ from: number, to: number }} at @param {string} made @returns {CodeEdit} */
  #edit({ from, to }, made) {
    return { from, to, old: this.#code.slice(from, to), new: made };
  }

  /** @param {PyNode} operand @param {string} suffix */
  #with(operand, suffix) {
    const isWhole = /^(VariableName|(Call|Member|Parenthesized)Expression)$/.test(operand.type);
    return (isWhole ? operand.text : `(${operand.text})`) + suffix;
  }

  // -------------------------------------------------------------------------- other calls

  /** Calls as they may be meant. @param {Problem} problem @param {CodeStep[]} steps @returns {Iterable<Family>} */
  *#families({ kind }, steps) {
    const flattens = steps.filter(({ layer, outputShape }) => layer.type === "Flatten" && outputShape.length);
    const wrong = flattens.filter(({ inputShape: [, ...before], outputShape: [, ...after] }) =>
      String(after) !== String(productOf(before)));
    const lost = steps.filter((step) => losesBatch(step) || takesBatchSecond(step) || step === steps.at(-1));
    const changes = (/** @type {CodeStep[]} */ of) => of.flatMap((step) => this.#callChanges(step));
    yield { rank: 0, words: "flattening", changes: changes(wrong) };
    yield { rank: ["batch", "order"].includes(kind) ? 0 : 2, words: "other axes in calls", changes: changes(lost) };
  }

  /** @param {CodeStep} step @returns {Change[]} */
  #callChanges(step) {
    const { node, module, layer, title = layer.name, operation = "" } = step;
    const reason = losesBatch(step) ? `${title} does not keep the batch axis` : "";
    const ofLayer = { layer: layer.name, of: layer, leadsOn: true };
    if (takesBatchSecond(step)) {
      return [{ text: `batch_first=True in ${title}`, reason: "", ...ofLayer, settings: { batch_first: true } }];
    }
    if (module?.type === "Flatten" && (layer.settings.start_dim ?? 1) !== 1) {
      return [{ text: `start_dim=1 in ${layer.name}`, reason, ...ofLayer, settings: { start_dim: 1 } }];
    }
    const meant = MEANT[layer.name];
    const [owner, ...given] = operandsOf(node, false);
    if (module || !meant || node.type !== "CallExpression" || !owner) return [];
    const call = isMethodCall(node) ? this.#code.slice(owner.to, node.to).replace(/^\./, "") : node.text;
    const old = operation.startsWith(layer.name) ? call : operation;
    return meant(given.map((each) => each.text).join(", ")).map((suffix) => ({
      text: suffix ? `${suffix.slice(1)} instead of ${old}` : `no ${old}`, reason, leadsOn: true,
      edits: [this.#edit(node, this.#with(owner, suffix))],
    }));
  }
}

/** The shape of one image with changes made, if they change it. @param {Change[]} changes */
const shapeWith = (changes) => changes.find((change) => change.imageShape)?.imageShape;

/** @param {CodeEdit} a @param {CodeEdit} b */
function overlaps(a, b) {
  return a.from === b.from ? a.to === b.to && a.from !== a.to : a.from < b.to && b.from < a.to;
}

/** Behind a parameter, what a call gives for it. @param {PyNode} node @param {Scope | null} scope @returns {PyNode} */
function writtenAt(node, scope) {
  const origin = node.type === "VariableName" ? scope?.origins.get(node.text) : undefined;
  return origin ? writtenAt(origin.node, origin.scope) : node;
}
