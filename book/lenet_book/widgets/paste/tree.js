// @ts-check
/** Python code as a tree, by Lezer's parser; nothing of it is ever run by the browser. */
import { parser } from "./lezer_python.js";

const MAX_DEPTH = 250;
const PROMPTS = [">>> ", "... ", "> "];
const MOST_TURNS = 40; // of parsing
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
  let text = plainPython(code);
  for (let turn = 0; ; turn += 1) {
    const tree = parser.parse(text);
    try {
      return grown(tree.cursor(), code, 0);
    } catch (error) {
      const points = lastPoints(tree, text);
      const changes = points.length ? points : letterLines(tree.topNode, text);
      if (!(error instanceof Unreadable) || !changes.length || turn === MOST_TURNS) throw error;
      for (const [from, to, fill] of changes) text = text.slice(0, from) + fill.repeat(to - from) + text.slice(to);
    }
  }
}

/**
 * Points at the end of numbers, as in "1. if", which the parser takes for the beginning of an attribute; with a digit
 * it does not.
 *
 * @param {any} tree @param {string} text @returns {TextChange[]}
 */
function lastPoints(tree, text) {
  /** @type {TextChange[]} */
  const found = [];
  tree.iterate({
    enter(/** @type {any} */ { name, node }) {
      const number = name === "MemberExpression" && node.firstChild;
      const isWhole = number.name === "Number" && !text.slice(number.from, number.to).includes(".");
      if (isWhole) found.push([number.to, number.to + 1, "0"]);
    },
  });
  return found;
}

/**
 * Lines of a letter, to be blank: they begin with what is wrong and neither block, assignment nor call. Only those up
 * to the next block, as words may have misled the parser there.
 *
 * @param {any} script  of Lezer @param {string} text @returns {TextChange[]}
 */
function letterLines(script, text) {
  /** @type {TextChange[]} */
  const found = [];
  let first = script.firstChild; // on its line; what is missing behind it is an error without length
  for (let node = first; node; node = node.nextSibling) {
    const isBehind = node.type.isError && node.from === node.to;
    if (!isBehind && text.slice(first.from, node.from).includes("\n")) first = node;
    const isWrong = node.type.isError || (!node.getChild("CallExpression") && hasError(node));
    const isLetter = isWrong && !first.getChild("Body") && !first.getChild("AssignOp");
    const [from, end] = [text.lastIndexOf("\n", first.from - 1) + 1, `${text}\n`.indexOf("\n", first.from)];
    if (isLetter && text.slice(from, end).trim()) found.push([from, end, " "]);
    if (found.length && text.slice(node.from, node.to).trimEnd().includes("\n")) break;
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
 * and "%matplotlib inline", are blank, and so are a session's prompts, and those of quotations, and what it printed.
 *
 * @param {string} code
 */
function plainPython(code) {
  const isSession = code.trimStart().startsWith(">");
  return `${code}\n`.split("\n").map((line) => {
    const prompt = isSession && PROMPTS.find((each) => line.startsWith(each));
    if (prompt) return `\n${line.slice(prompt.length)}`.padStart(line.length); // the rest begins a line
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
    if (cursor.name !== "Comment" && !isOfPython2) node.kids.push(grown(cursor, code, depth + 1));
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
