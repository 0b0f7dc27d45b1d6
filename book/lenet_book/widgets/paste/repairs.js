// @ts-check
/** Why pasted code does not work, and edits of it that make it work: each was made, and the code read again. */
import { diagnose, losesBatch, takesBatchSecond, torchSentence } from "../calculator/diagnosis.js";
import { FixSearch, causeOf, fixText, reasonOf } from "../calculator/fixes.js";
import { kindOf, settingText } from "../calculator/kinds.js";
import { productOf } from "../shared/numbers.js";
import { Program, operandsOf } from "./reader.js";
import { CALLS } from "./torch.js";
import { Scope } from "./values.js";
import { Unreadable, argumentsOf, placeOf } from "./tree.js";

const MAX_TRIES = 400;

/** What may be meant by a call that changes axes. @type {Record<string, (given: string) => string[]>} */
const MEANT = {
  view: (given) => [`.reshape(${given})`, ".flatten(1)"],
  reshape: () => [".flatten(1)"],
  flatten: () => [".flatten(1)"],
  squeeze: () => [".flatten(1)"],
  t: () => [""], transpose: () => [""], permute: () => [""],
};

/** Make edits of code; each stands at a place of its own. @param {string} code @param {CodeEdit[]} edits */
export function applyEdits(code, edits) {
  const last = [...edits].sort((a, b) => b.from - a.from || b.to - a.to);
  return last.reduce((text, { from, to, new: made }) => text.slice(0, from) + made + text.slice(to), code);
}

/** Explain what is wrong, with the edits that mend it; null where nothing is. @param {Reading} reading @returns {CodeExplanation | null} */
export function explainReading({ code, imageShape, network, program }) {
  const { pass, problem } = program ?? {};
  if (!problem) return null;
  let tries = 0;
  /** @type {Reading["unread"]} */
  const unread = [];
  const search = new FixSearch(imageShape, pass, problem, (changes) => {
    tries += 1;
    return tries > MAX_TRIES ? undefined : problemWith(code, network, imageShape, program.program, changes, unread);
  }, (steps) => callFamilies(code, problem, steps));
  const fixes = search.fixes();
  return {
    what: problem.what,
    why: causeOf(fixes) || problem.why,
    fixes: fixes.map((fix) => written(code, fix)),
    tried: [...search.tried],
    unread: (!fixes.length && unread[0]) || null,
    error: problem.step.misfit && problem.step.module ? torchSentence(problem.step) : "",
  };
}

/** Make changes in the code and read it again. @param {string} code @param {string} network @param {number[]} imageShape @param {Program} program @param {Change[]} changes @param {Reading["unread"]} unread  what cannot be read behind them */
function problemWith(code, network, imageShape, program, changes, unread) {
  const edits = editsOf(code, changes);
  const shape = changes.find((change) => change.imageShape)?.imageShape ?? imageShape;
  if (!edits) return undefined;
  try {
    const changed = edits.length ? new Program(applyEdits(code, edits), network) : program;
    const pass = changed.pass(shape, changes.some((change) => change.isTurned));
    unread.push(...pass.unread.map(({ what, node }) => ({ what, place: placeOf(code, node) })));
    return pass.unread.length ? undefined : diagnose(pass);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** Write changes as edits; null where one cannot be written. @param {string} code @param {Change[]} changes @returns {CodeEdit[] | null} */
function editsOf(code, changes) {
  const made = changes.flatMap((change) => (change.imageShape ? [] : [change.edits ?? (change.of && stepEdits(code, /** @type {any} */ (change.of).step, change))]));
  const edits = made.flatMap((each) => each ?? []);
  return made.some((each) => !each) || edits.some((edit, index) => edits.slice(0, index).some((other) => overlaps(edit, other))) ? null : edits;
}

/** @param {CodeEdit} a @param {CodeEdit} b */
function overlaps(a, b) {
  return a.from === b.from ? a.to === b.to && a.from !== a.to : a.from < b.to && b.from < a.to;
}

/** @param {string} code @param {CodeStep} step @param {Change} change @returns {CodeEdit[] | null} */
function stepEdits(code, step, { settings = {}, flattens }) {
  const { node, module, layer } = step;
  if (flattens && step.isInSequence) return [edit(code, { from: module.made.from, to: module.made.from }, `${callee(code, module.made).replace(/\w+$/, "Flatten()")}, `)];
  if (flattens) return node && operandsOf(node, Boolean(module)).slice(0, 1).map((operand) => withSuffix(code, operand, ".flatten(1)"));
  if (module) return module.made && argumentEdits(code, module.made, Object.keys(kindOf(layer).settings), settings, module.scope);
  const names = CALLS[layer.name]?.names ?? [];
  if (Object.keys(settings).some((name) => !names.includes(name))) return null; // the sizes of weights are theirs
  return node?.type === "CallExpression" ? argumentEdits(code, node, isMethod(code, node) ? names.slice(1) : names, settings) : null;
}

/** @param {string} code @param {PyNode} call */
function callee(code, { kids: [called] }) {
  return code.slice(called.from, called.to);
}

/** @param {string} code @param {PyNode} call */
function isMethod(code, call) {
  return call.kids[0].type === "MemberExpression" && !/^(torch|F|nn\.functional|torch\.nn\.functional)\.\w+$/.test(callee(code, call));
}

/** Give a call other arguments, and leave the rest of it as it is. @param {string} code @param {PyNode} call @param {string[]} names @param {Settings} settings @param {Scope | null} [scope] @returns {CodeEdit[] | null} */
function argumentEdits(code, call, names, settings, scope = null) {
  const given = argumentsOf(call);
  if (given.some((each) => each.star)) return null;
  const edits = [];
  const added = [];
  for (const [name, value] of Object.entries(settings)) {
    const position = given.findIndex((each, index) => (each.name || names[index]) === name);
    if (position < 0) added.push(`${name}=${settingText(value)}`);
    else edits.push(edit(code, originOfArgument(given[position].node, scope), settingText(value)));
  }
  const end = call.to - 1;
  const hasComma = /,\s*$/.test(code.slice(call.from, end));
  if (added.length) edits.push(edit(code, { from: end, to: end }, `${given.length ? (hasComma ? " " : ", ") : ""}${added.join(", ")}`));
  return edits;
}

/** Where an argument is written: behind the name of a parameter stands what the call of its function gives. @param {PyNode} node @param {Scope | null} scope @returns {PyNode} */
function originOfArgument(node, scope) {
  const origin = node.type === "VariableName" ? scope?.origins.get(node.text) : undefined;
  return origin ? originOfArgument(origin.node, origin.scope) : node;
}

/** @param {string} code @param {{ from: number, to: number }} at @param {string} made @returns {CodeEdit} */
function edit(code, { from, to }, made) {
  return { from, to, old: code.slice(from, to), new: made };
}

/** @param {string} code @param {PyNode} operand @param {string} suffix */
function withSuffix(code, operand, suffix) {
  const text = code.slice(operand.from, operand.to);
  return edit(code, operand, (/^(VariableName|CallExpression|MemberExpression|ParenthesizedExpression)$/.test(operand.type) ? text : `(${text})`) + suffix);
}

/** Calls that regroup numbers, made to do what may have been meant. @param {string} code @param {Problem} problem @param {LayerStep[]} steps @returns {Iterable<Family>} */
function* callFamilies(code, problem, steps) {
  const all = /** @type {CodeStep[]} */ (steps);
  const wrong = all.filter(({ layer, inputShape, outputShape }) => layer.type === "Flatten" && outputShape.length && String(outputShape.slice(1)) !== String(productOf(inputShape.slice(1))));
  const lost = all.filter((step, index) => losesBatch(step) || takesBatchSecond(step) || index === all.length - 1);
  yield { rank: 0, words: "flattening", changes: wrong.flatMap((step) => callChanges(code, step)) };
  yield { rank: ["batch", "order"].includes(problem.kind) ? 0 : 2, words: "other axes in calls", changes: lost.flatMap((step) => callChanges(code, step)) };
}

/** @param {string} code @param {CodeStep} step @returns {Change[]} */
function callChanges(code, step) {
  const { node, module, layer, operation = "" } = step;
  const reason = losesBatch(step) ? `${step.title ?? layer.name} does not keep the batch axis` : "";
  if (takesBatchSecond(step)) return [{ text: `batch_first=True in ${step.title ?? layer.name}`, reason: "", layer: layer.name, of: layer, settings: { batch_first: true }, leadsOn: true }];
  if (module?.type === "Flatten" && (layer.settings.start_dim ?? 1) !== 1) {
    return [{ text: `start_dim=1 in ${layer.name}`, reason, layer: layer.name, of: layer, settings: { start_dim: 1 }, leadsOn: true }];
  }
  const meant = MEANT[layer.name];
  if (module || !node || !meant || node.type !== "CallExpression") return [];
  const [owner, ...given] = operandsOf(node, false);
  if (!owner) return [];
  const old = operation.startsWith(layer.name) ? code.slice(node.from, node.to).slice(isMethod(code, node) ? owner.to - node.from : 0).replace(/^\./, "") : operation;
  return meant(given.map((each) => code.slice(each.from, each.to)).join(", ")).map((suffix) => {
    const made = withSuffix(code, owner, suffix);
    return { text: suffix ? `${suffix.slice(1)} instead of ${old}` : `no ${old}`, reason, edits: [{ ...edit(code, node, made.new) }], leadsOn: true };
  });
}

/** A fix as the page shows it. @param {string} code @param {Fix} fix @returns {CodeFix} */
function written(code, fix) {
  const edits = editsOf(code, fix.changes) ?? [];
  const changed = applyEdits(code, edits);
  const lines = new Set(edits.map((each) => placeOf(changed, { from: each.from + applied(edits, each), to: each.from }).line));
  const all = changed.split("\n");
  const imageShape = fix.changes.find((change) => change.imageShape)?.imageShape;
  return { text: fixText(fix), reason: reasonOf(fix), rank: fix.rank, edits, lines: [...lines].sort((a, b) => a - b).map((line) => all[line - 1].trim()), ...(imageShape && { imageShape }) };
}

/** How far edits before another one move it. @param {CodeEdit[]} edits @param {CodeEdit} edited */
function applied(edits, edited) {
  return edits.filter((each) => each.from < edited.from).reduce((sum, each) => sum + each.new.length - each.old.length, 0);
}
