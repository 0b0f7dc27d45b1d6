// @ts-check
/** Python code as a tree, by Lezer's parser; nothing of it is ever run by the browser. */
import { parser } from "./lezer_python.js";

const MAX_DEPTH = 250;
export const START = { from: 0, to: 0, line: 1, column: 0, lastLine: 1 };

/** What cannot be read at all, and where. */
export class Unreadable extends Error {
  /** @param {string} what @param {SourcePlace} [place] */
  constructor(what, place = START) {
    super(what);
    this.place = place;
  }
}

/** A node of the syntax tree. */
export class PyNode {
  /** @type {PyNode[]} */
  kids = [];

  /** @param {string} code @param {string} type @param {number} from @param {number} to */
  constructor(code, type, from, to) {
    this.code = code;
    this.type = type;
    this.from = from;
    this.to = to;
  }

  get text() {
    return this.code.slice(this.from, this.to);
  }

  get last() {
    return this.kids[this.kids.length - 1];
  }

  /** What stands between the brackets. */
  get inside() {
    return this.kids.slice(1, -1);
  }

  /** @returns {SourcePlace} */
  get place() {
    const { code, from, to, text } = this;
    const before = code.slice(0, from).split("\n");
    const [line, lines] = [before.length, text.split("\n").length];
    return { from, to, line, column: before[line - 1].length, lastLine: line + lines - 1 };
  }

  /** @param {string} type */
  child(type) {
    return this.kids.find((kid) => kid.type === type);
  }

  /**
   * The innermost node of some types around a place.
   *
   * @param {SourcePlace} place @param {string[]} types @returns {PyNode | null}
   */
  around(place, types) {
    const inner = this.kids.find(({ from, to }) => from <= place.from && place.to <= to)?.around(place, types);
    return inner ?? (types.includes(this.type) ? this : null);
  }

  /** The arguments of a call: `name` of those given by name, `star` of those that are unpacked. */
  get arguments() {
    return betweenCommas(this.child("ArgList")?.inside ?? []).map((part) => {
      const [first, second, third] = part;
      if (second?.type === "AssignOp") return { name: first.text, star: "", node: third, part };
      const star = starOf(first);
      return { name: "", star, node: star ? second : first, part };
    });
  }

  /**
   * A function's parameters: `star` of those that take the rest, `value` of those that have one.
   *
   * @returns {{ name: string, star: string, node: PyNode, value: PyNode | null }[]}
   */
  get parameters() {
    const list = this.child("ParamList");
    const kids = (this.type === "LambdaExpression" ? list?.kids : list?.inside) ?? [];
    return betweenCommas(kids).filter(([{ type }]) => type !== "/").map((part) => {
      const star = starOf(part[0]);
      const at = part.findIndex(({ type }) => type === "AssignOp");
      return { name: part[star ? 1 : 0]?.text ?? "", star, node: part[0], value: at < 0 ? null : part[at + 1] };
    });
  }
}

/** A node's text, on one line. @param {PyNode} node */
export const oneLine = ({ text }) => text.split(/\s+/).join(" ");

/** @param {PyNode} node */
const starOf = ({ type }) => (/^\*+$/.test(type) ? type : "");

/** Children between those of some types. @param {PyNode[]} kids @param {...string} types */
export function partsOf(kids, ...types) {
  const cuts = [...kids.keys()].filter((at) => types.includes(kids[at].type));
  return [-1, ...cuts].map((from, index) => kids.slice(from + 1, cuts[index]));
}

/** Those between commas. @param {PyNode[]} kids */
export const betweenCommas = (kids) => partsOf(kids, ",").filter((part) => part.length);

/**
 * Parse Python, and pass over a letter around it; an `Unreadable` says what is none.
 *
 * @param {string} code @returns {PyNode}
 */
export function parsePython(code) {
  const lines = plainPython(code).split("\n");
  for (;;) {
    const text = lines.join("\n");
    const tree = parser.parse(text);
    const ofLetter = letterLines(text, tree.topNode);
    if (!ofLetter.size) return grown(tree.cursor(), code, 0);
    for (const line of ofLetter) lines[line] = " ".repeat(lines[line].length);
  }
}

/**
 * Lines of a letter, from 0: they begin with what is wrong and neither block, assignment nor call. Only those up to the
 * next block, as words may have misled the parser there.
 *
 * @param {string} text @param {any} script  of Lezer @returns {Set<number>}
 */
function letterLines(text, script) {
  const found = new Set(/** @type {number[]} */ ([]));
  let first = script.firstChild; // on its line; what is missing behind it is an error without length
  for (let node = first; node; node = node.nextSibling) {
    const isBehind = node.type.isError && node.from === node.to;
    if (!isBehind && text.slice(first.from, node.from).includes("\n")) first = node;
    const isWrong = node.type.isError || (!node.getChild("CallExpression") && hasError(node));
    const isLetter = isWrong && !first.getChild("Body") && !first.getChild("AssignOp");
    if (isLetter) found.add(text.slice(0, first.from).split("\n").length - 1);
    if (found.size && text.slice(node.from, node.to).trimEnd().includes("\n")) break;
  }
  return found;
}

/** @param {any} node  of Lezer */
function hasError(node) {
  let isFound = false;
  node.cursor().iterate((/** @type {any} */ { type }) => void (isFound ||= type.isError));
  return isFound;
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
    const isPrompt = isSession && [">>> ", "... "].some((prompt) => line.startsWith(prompt));
    if (isPrompt) return `   \n${line.slice(4)}`; // the rest begins a line
    const isBlank = isSession || line.startsWith("!") || (line.startsWith("%") && line[1] !== " ");
    return isBlank ? " ".repeat(line.length) : line;
  }).join("\n");
}

/** @param {any} cursor  of Lezer @param {string} code @param {number} depth @returns {PyNode} */
function grown(cursor, code, depth) {
  const { name: type, from, to } = cursor;
  const node = new PyNode(code, type, from, to);
  if (cursor.type.isError) throw new Unreadable(syntaxError(code, from, to), node.place);
  if (depth > MAX_DEPTH) throw new Unreadable(`this is nested more than ${MAX_DEPTH} deep`, node.place);
  if (!cursor.firstChild()) return node;
  do {
    const isOfPython2 = cursor.type.isError && [type, node.kids.at(-1)?.type].includes("PrintStatement");
    const isPoint = cursor.type.isError && type === "MemberExpression" && node.kids[0]?.type === "Number"; // of "2."
    if (isPoint) node.type = "Number"; // which ends with its point
    else if (cursor.name !== "Comment" && !isOfPython2) node.kids.push(grown(cursor, code, depth + 1));
  } while (cursor.nextSibling());
  cursor.parent();
  return node;
}

/** @param {string} code @param {number} from @param {number} to */
function syntaxError(code, from, to) {
  const [found] = code.slice(from, Math.max(to, from + 1)).split("\n");
  const what = found.trim() || "the line's end";
  return `this is no Python: ${to > from ? `${what} is not expected here` : `something is missing before ${what}`}`;
}

/** What an operation works on. @param {PyNode} node @param {boolean} isLayer @returns {PyNode[]} */
export function operandsOf(node, isLayer) {
  const [first] = node.kids;
  if (/^(BinaryExpression|UpdateStatement)$/.test(node.type)) return [first, node.last];
  if (node.type !== "CallExpression") return node.type === "MemberExpression" ? [first] : [];
  const args = node.arguments.filter((each) => !each.name).map((each) => each.node);
  if (!isLayer && isMethodCall(node)) return [first.kids[0], ...args];
  const isListed = args[0] && /^(Array|Tuple)Expression$/.test(args[0].type);
  return isListed ? betweenCommas(args[0].inside).map(([each]) => each) : args;
}

/** Is the method of a value called, and no function of a library? @param {PyNode} call */
export function isMethodCall({ kids: [callee] }) {
  return callee.type === "MemberExpression" && !/^(F|(torch\.)?nn\.functional|torch)$/.test(callee.kids[0].text);
}
