// @ts-check
/** Why pasted code does not work, and edits of it that make it work: each was made, and the code read again. */
import { settingChange } from "../calculator/changes.js";
import { diagnose, losesBatch, takesBatchSecond, titleOf, torchSentence } from "../calculator/diagnosis.js";
import { fixText, reasonOf, searchFixes } from "../calculator/fixes.js";
import { kindOf, layerCode, settingText } from "../calculator/kinds.js";
import { productOf } from "../shared/numbers.js";
import { Program } from "./reader.js";
import { CALLS } from "./torch.js";
import { Unreadable, isMethodCall, operandsOf } from "./tree.js";

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

/** What is wrong and mends it; null where nothing is. @param {Reading} reading @returns {CodeExplanation | null} */
export function explainReading({ code, imageShape, network, program: read }) {
  if (!read?.problem) return null;
  const { what, step } = read.problem;
  /** What cannot be read behind changes. @type {Unread[]} */
  const unread = [];
  let tries = 0;
  const problemWith = (/** @type {Change[]} */ changes) => {
    const edits = editsOf(changes);
    tries += 1;
    if (!edits || tries > MAX_TRIES) return undefined;
    try {
      const changed = edits.length ? new Program(applyEdits(code, edits), network) : read.program;
      const pass = changed.pass(shapeWith(changes) ?? imageShape, changes.some(({ isTurned }) => isTurned));
      unread.push(...pass.unread);
      return pass.unread.length ? undefined : diagnose(pass);
    } catch (error) {
      if (error instanceof Unreadable) return undefined;
      throw error;
    }
  };
  const families = (/** @type {any} */ steps) => callFamilies(read.problem, steps, read.program.tree);
  const { fixes, why, tried } = searchFixes(imageShape, read.pass, read.problem, problemWith, families);
  const error = step.misfit && step.module ? torchSentence(step) : "";
  const found = fixes.map((fix) => written(fix, code));
  return { what, why, fixes: found, tried, unread: (!fixes.length && unread[0]) || null, error };
}

/** A fix as the page shows it. @param {Fix} fix @param {string} code @returns {CodeFix} */
function written(fix, code) {
  const edits = (editsOf(fix.changes) ?? []).sort((a, b) => a.from - b.from);
  const changed = applyEdits(code, edits).split("\n");
  const lineOf = (/** @type {number} */ index) =>
    applyEdits(code.slice(0, edits[index].from), edits.slice(0, index)).split("\n").length - 1;
  const lines = new Set(edits.map((_, index) => changed[lineOf(index)].trim()));
  const imageShape = shapeWith(fix.changes);
  const words = { text: fixText(fix), reason: reasonOf(fix), rank: fix.rank };
  return { ...words, edits, lines: [...lines], ...(imageShape && { imageShape }) };
}

// ---------------------------------------------------------------------------- changes as edits

/** Changes as edits; null where one cannot be written. @param {Change[]} changes @returns {CodeEdit[] | null} */
function editsOf(changes) {
  const ofCode = changes.filter(({ imageShape }) => !imageShape);
  const made = ofCode.map((change) => change.edits ?? stepEdits(/** @type {any} */ (change.of).step, change));
  const all = made.flatMap((each) => each ?? []);
  const edits = [...new Map(all.map((edit) => [JSON.stringify(edit), edit])).values()]; // an argument may serve several
  const overlap = edits.some((edit, index) => edits.slice(0, index).some((other) => overlaps(edit, other)));
  return made.includes(null) || overlap ? null : edits;
}

/** @param {CodeStep} step @param {Change} change @returns {CodeEdit[] | null} */
function stepEdits({ node, module, layer, isInSequence }, { settings = {}, flattens, instead }) {
  if (instead) {
    const [callee] = (module ? module.made : node).kids;
    return callee ? [editOf(callee.last ?? callee, instead)] : null;
  }
  if (flattens && isInSequence) {
    const { code, from, kids: [callee] } = module.made;
    return [editOf({ code, from, to: from }, `${callee.text.replace(/\w+$/, "Flatten()")}, `)];
  }
  const [operand] = operandsOf(node, Boolean(module));
  if (flattens) return operand ? [editOf(operand, withSuffix(operand, ".flatten(1)"))] : [];
  if (module) return argumentEdits(module.made, Object.keys(kindOf(layer).settings), settings, module.scope);
  const names = CALLS[layer.name]?.names ?? [];
  const isPossible = Object.keys(settings).every((name) => names.includes(name)); // the sizes of weights are theirs
  if (!isPossible || node.type !== "CallExpression") return null;
  return argumentEdits(node, isMethodCall(node) ? names.slice(1) : names, settings, null);
}

/**
 * Give a call other arguments, and leave the rest of it as it is.
 *
 * @param {PyNode} call @param {string[]} names @param {Settings} settings @param {Scope | null} scope
 */
function argumentEdits(call, names, settings, scope) {
  const given = call.arguments.filter(({ star }) => !star);
  const stars = call.arguments.map(({ star }) => star);
  if (stars.includes("*")) return null;
  const edits = [];
  const added = [];
  for (const [name, value] of Object.entries(settings)) {
    const at = given.find((each, index) => (each.name || names[index]) === name);
    if (at) edits.push(editOf(writtenAt(at.node, scope), settingText(value)));
    else if (stars.includes("**")) return null; // it may be among them
    else added.push(`${name}=${settingText(value)}`);
  }
  const [{ code }, end] = [call, call.to - 1];
  const comma = !given.length ? "" : /,\s*$/.test(code.slice(call.from, end)) ? " " : ", ";
  if (added.length) edits.push(editOf({ code, from: end, to: end }, comma + added.join(", ")));
  return edits;
}

/** @param {{ code: string, from: number, to: number }} at @param {string} made @returns {CodeEdit} */
function editOf({ code, from, to }, made) {
  return { from, to, old: code.slice(from, to), new: made };
}

/** @param {PyNode} operand @param {string} suffix */
function withSuffix({ type, text }, suffix) {
  return (/^(VariableName|(Call|Member|Parenthesized)Expression)$/.test(type) ? text : `(${text})`) + suffix;
}

// ---------------------------------------------------------------------------- other calls

/**
 * Calls as they may be meant.
 *
 * @param {Problem} problem @param {CodeStep[]} steps @param {PyNode} tree @returns {Iterable<Family>}
 */
function* callFamilies({ kind, step }, steps, tree) {
  const flattens = steps.filter(({ layer, outputShape }) => layer.type === "Flatten" && outputShape.length);
  const wrong = flattens.filter(({ inputShape: [, ...before], outputShape: [, ...after] }) =>
    String(after) !== String(productOf(before)));
  const lost = steps.filter((step) => losesBatch(step) || takesBatchSecond(step) || step === steps.at(-1));
  yield { rank: 0, words: "flattening", changes: wrong.flatMap(callChanges) };
  const rank = ["batch", "order"].includes(kind) ? 0 : 2;
  yield { rank, words: "other axes in calls", changes: lost.flatMap(callChanges) };
  yield { rank: 1, words: "a convolution on the shortcut", changes: shortcutChanges(/** @type {any} */ (step), tree) };
}

/** A 1×1 convolution on the way around a block whose maps change. @param {CodeStep} step @param {PyNode} tree */
function* shortcutChanges({ node, inputShapes }, tree) {
  const cls = tree.around(node.place, ["ClassDefinition"]);
  const methods = cls?.child("Body")?.kids ?? [];
  const last = methods.find((each) => each.child("VariableName")?.text === "__init__")?.child("Body")?.last;
  if (!last || !/^(BinaryExpression|UpdateStatement)$/.test(node.type) || cls?.text.includes("shortcut")) return;
  for (const [index, operand] of operandsOf(node, false).entries()) {
    const [came, wanted] = [inputShapes[index] ?? [], inputShapes[1 - index] ?? []];
    if (came.length !== wanted.length || came.length < 3) return;
    const sizes = { in_channels: came[1], out_channels: wanted[1], kernel_size: 1 };
    const settings = { ...sizes, stride: Math.ceil(came[2] / wanted[2]) };
    const made = `self.shortcut = nn.${layerCode({ type: `Conv${came.length - 2}d`, settings })}`;
    const line = editOf({ code: tree.code, from: last.to, to: last.to }, `\n${" ".repeat(last.place.column)}${made}`);
    const edits = [line, editOf(operand, `self.shortcut(${operand.text})`)];
    yield { text: `a 1×1 convolution on ${operand.text}`, reason: "", edits };
  }
}

/** @param {CodeStep} step @returns {Change[]} */
function callChanges(step) {
  const { node, module, layer, operation = "" } = step;
  const reason = losesBatch(step) ? `${titleOf(step)} does not keep the batch axis` : "";
  if (takesBatchSecond(step)) return [{ ...settingChange(layer, { batch_first: true }), leadsOn: true }];
  const isCutShort = module?.type === "Flatten" && (layer.settings.start_dim ?? 1) !== 1;
  if (isCutShort) return [{ ...settingChange(layer, { start_dim: 1 }, reason), leadsOn: true }];
  const meant = MEANT[layer.name];
  const [owner, ...given] = operandsOf(node, false);
  if (module || !meant || node.type !== "CallExpression" || !owner) return [];
  const call = isMethodCall(node) ? node.code.slice(owner.to, node.to).replace(/^\./, "") : node.text;
  const old = operation.startsWith(layer.name) ? call : operation;
  return meant(given.map(({ text }) => text).join(", ")).map((suffix) => ({
    text: suffix ? `${suffix.slice(1)} instead of ${old}` : `no ${old}`, reason, leadsOn: true,
    edits: [editOf(node, withSuffix(owner, suffix))],
  }));
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
