// @ts-check
/** Python code as a tree, by Lezer's parser; nothing of it is ever run by the browser. */
import { parser } from "./lezer_python.js";

const MAX_DEPTH = 250;

/** What cannot be read at all, and where. */
export class Unreadable extends Error {
  /** @param {string} what @param {{ from: number, to: number }} at */
  constructor(what, at) {
    super(what);
    this.at = at;
  }
}

/** Parse Python; an `Unreadable` says what is none. @param {string} code @returns {PyNode} */
export function parsePython(code) {
  const python = plainPython(code);
  return grown(parser.parse(python).cursor(), python, 0);
}

/** The parser's own tree, which holds comments and errors too. @param {string} code */
export function syntaxTree(code) {
  return parser.parse(plainPython(code));
}

/**
 * Python alone, every character where it was: a notebook's own commands, such as "!pip install torch"
 * and "%matplotlib inline", are blank, and so are a session's prompts and what it printed.
 *
 * @param {string} code
 */
function plainPython(code) {
  const isSession = code.trimStart().startsWith(">>>");
  return code.split("\n").map((line) => {
    if (isSession && /^(>>>|\.\.\.) /.test(line)) return `   \n${line.slice(4)}`; // the rest begins a line
    const isBlank = isSession || line.startsWith("!") || (line.startsWith("%") && line[1] !== " ");
    return isBlank ? " ".repeat(line.length) : line;
  }).join("\n");
}

/** @param {any} cursor  of Lezer @param {string} code @param {number} depth @returns {PyNode} */
function grown(cursor, code, depth) {
  const { name: type, from, to } = cursor;
  if (cursor.type.isError) throw new Unreadable(syntaxError(code, from, to), { from, to });
  if (depth > MAX_DEPTH) throw new Unreadable(`this is nested more than ${MAX_DEPTH} deep`, { from, to: from + 1 });
  /** @type {PyNode} */
  const node = { type, from, to, kids: [], text: "" };
  if (cursor.firstChild()) {
    do {
      const isOfPython2 = cursor.type.isError && [type, node.kids.at(-1)?.type].includes("PrintStatement");
      const isPoint = cursor.type.isError && node.kids[0]?.type === "Number"; // that of "2." is taken for another one
      if (cursor.name !== "Comment" && !isOfPython2 && !isPoint) node.kids.push(grown(cursor, code, depth + 1));
    } while (cursor.nextSibling());
    cursor.parent();
    if (type !== "MemberExpression" || node.kids.length !== 2) return node;
    Object.assign(node, { type: "Number", kids: [] }); // which ends with its point
  }
  node.text = code.slice(from, to);
  return node;
}

/** @param {string} code @param {number} from @param {number} to */
function syntaxError(code, from, to) {
  const [found] = code.slice(from, Math.max(to, from + 1)).split("\n");
  if (to > from) return `this is no Python: ${found.trim() || "the line's end"} is not expected here`;
  return `this is no Python: something is missing before ${found.trim() || "the line's end"}`;
}

/** The children of a node between its commas, of those that have any. @param {PyNode[]} kids */
export function betweenCommas(kids) {
  /** @type {PyNode[][]} */
  const parts = [[]];
  for (const kid of kids) {
    if (kid.type === ",") parts.push([]);
    else /** @type {PyNode[]} */ (parts.at(-1)).push(kid);
  }
  return parts.filter((part) => part.length);
}

/** What stands between the brackets of a node. @param {PyNode} node */
export function inside(node) {
  return node.kids.slice(1, -1);
}

/** @param {PyNode} node @param {string} type */
export function childOf(node, type) {
  return node.kids.find((kid) => kid.type === type);
}

/** The arguments of a call: `name` of those given by name, `star` of those that are unpacked. @param {PyNode} call */
export function argumentsOf(call) {
  const list = childOf(call, "ArgList");
  return betweenCommas(list ? inside(list) : []).map((part) => {
    const [first, second, third] = part;
    if (second?.type === "AssignOp") return { name: first.text, star: "", node: third, part };
    const star = /^\*+$/.test(first.type) ? first.type : "";
    return { name: "", star, node: star ? second : first, part };
  });
}

/** A function's parameters: `star` of those that take the rest, `value` of those that have one. @param {PyNode} node */
export function parametersOf(node) {
  const list = childOf(node, "ParamList");
  const kids = list ? (node.type === "LambdaExpression" ? list.kids : inside(list)) : [];
  return betweenCommas(kids).filter(([{ type }]) => type !== "/").map((part) => {
    const star = /^\*+$/.test(part[0].type) ? part[0].type : "";
    const at = part.findIndex(({ type }) => type === "AssignOp");
    return { name: part[star ? 1 : 0]?.text ?? "", star, node: part[0], value: at < 0 ? null : part[at + 1] };
  });
}

/**
 * The characters, line and column of a node; those of the beginning where there is none.
 *
 * @param {string} code @param {{ from: number, to: number } | null | undefined} node @returns {SourcePlace}
 */
export function placeOf(code, node) {
  const { from, to } = node ?? { from: 0, to: 0 };
  const before = code.slice(0, from).split("\n");
  const lastLine = before.length + code.slice(from, to).split("\n").length - 1;
  return { from, to, line: before.length, column: before[before.length - 1].length, lastLine };
}
