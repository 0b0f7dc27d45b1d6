// What the reader of pasted code hands to its page. Every file knows these names without importing them.
//
//   readNetwork(code, { imageShape?, network? }): Reading     in reader.js; fast, at every keystroke
//   explainReading(reading): CodeExplanation | null           in repairs.js; tries fixes, when there is time
//   applyEdits(code, edits): string                           in repairs.js

/** A piece of the code: characters from `from` up to `to`; lines count from 1, columns from 0. */
interface SourcePlace {
  from: number;
  to: number;
  line: number;
  column: number;
  lastLine: number;
}

/** What was not understood, or is no Python: `what` is a clause without an end, as "the package does it" may follow. */
interface Unread {
  place: SourcePlace;
  what: string;
}

/** A row as the calculator has it. Where the shape is unknown, `outputShape` is empty and `isKnown` false. */
interface CodeRow extends Row {
  isKnown: boolean;
  /** The expression in `forward`, as `lenet.shapes` names it. */
  place: SourcePlace;
  /** Where a reader looks for it: of a layer of an nn.Sequential, where it is made, for all are called at one place. */
  shown: SourcePlace;
  inputShape: (number | string)[];
  /** For every tensor that goes in, the index of its row; −1 for the images, null for weights. */
  sources: (number | null)[];
}

/** Where a network goes wrong; `needed` and `came` are 0 where those are no numbers. */
type CodeProblem = Omit<Problem, "step" | "before"> & Pick<CodeRow, "name" | "place" | "shown">;

/** A module that was made, whether or not it ran. */
interface MadeLayer {
  place: SourcePlace;
  numParameters: number;
}

interface Reading {
  code: string;
  /** Why nothing could be read: a syntax error, no network; else null. */
  refusal: Unread | null;
  /** The class, or the variable, that was read as the network, and all that could be. */
  network: string;
  networks: string[];
  /** The shape of one image, and where it comes from, in words: "as torch.randn in line 30 says". */
  imageShape: number[];
  imageSource: string;
  /** The parameter of `forward` that takes the images; null for an nn.Sequential. */
  inputPlace: SourcePlace | null;
  /** All operations that ran, up to the failure or the end. */
  rows: CodeRow[];
  layers: MadeLayer[];
  numParameters: number;
  /** Parameters of layers that did not run. */
  numUnusedParameters: number;
  /** What went wrong and where; null if nothing did. */
  problem: CodeProblem | null;
  /** The first line, from 0, that does not run for it, and that behind the last. */
  unreached: [number, number];
  /** What blocks and sequences gave where they were called, before the row of this index. */
  given: { place: SourcePlace; shape: (number | string)[]; index: number }[];
  /** What was not understood: from its place on shapes are unknown. */
  unread: Unread[];
  /** What does the same in Python: `python -m lenet shapes mymodel.py:Net --input 1x28x28`. */
  command: string;
  program: CodeProgram;
}

/** What is needed to run the code again with changes; for repairs.js alone. */
type CodeProgram = any;

/** A piece of the code that is replaced; `old` is what stands there. */
interface CodeEdit {
  from: number;
  to: number;
  old: string;
  new: string;
}

/** A fix that was tried: edits of the code, other images, or both. */
interface CodeFix {
  text: string;
  reason: string;
  rank: number;
  edits: CodeEdit[];
  /** The changed lines as they stand afterwards. */
  lines: string[];
  /** The shape of one image with it; absent where the images stay. */
  imageShape?: number[];
}

interface CodeExplanation {
  what: string;
  why: string;
  fixes: CodeFix[];
  tried: string[];
  /** Where no change was found: what cannot be read further on, so that none could be tried to the end. */
  unread: Reading["unread"][number] | null;
  /** PyTorch's own sentence, where it is known. */
  error: string;
}

// ---------------------------------------------------------------------------- inside the reader

/** Of a text: from, to, and what stands there instead. */
type TextChange = [number, number, string];

/** A value of Python's, as JavaScript has it; see interpreter.js. */
type PyValue = any;

/** A tensor that a script makes, or gives to its network; or what a block gives behind the row of an index. */
interface NotedShape {
  shape: number[];
  node: PyNode;
  network?: Instance;
  /** What the network gets beside it. */
  others?: PyValue[];
  index?: number;
  /** Height and width to which pictures are brought. */
  pixels?: number[];
}

/** A call: what it gives, and where it is written. */
interface PyCall {
  args: PyValue[];
  named: Map<string, PyValue>;
  node: PyNode;
  scope?: Scope;
}

/** How a statement leaves what is around it. */
interface Leaving {
  how: "return" | "break" | "continue";
  value?: PyValue;
}

type Statement = (run: PyRun, node: PyNode, scope: Scope) => Leaving | undefined | void;
type Expression = (run: PyRun, node: PyNode, scope: Scope) => PyValue;

/** From a function's arguments by name, and all tensors of them, the shape or the tensors that it gives. */
type Rule = (given: Record<string, any>, input: Shaped, inputs: Shaped[]) => any;
type Method = (owner: PyValue, args: PyValue[], run: PyRun, call: PyCall) => PyValue;

// What the page's parts hand to each other.

/** What is in the editor, and the shape of one image as the reader chose it; empty for what the code says. */
interface Pasted {
  code: string;
  shape: number[];
}

/** A line of the editor, and what stands at its end. */
interface EditorLine {
  text: string;
  note: string;
  state: string;
}

/** What a line gives, each time that it runs. */
type Visit = { place: SourcePlace; shape: string }[];

/** A part of the network as it is drawn; a click on it leads to a line. */
interface DiagramNode {
  name: string;
  shape: (number | string)[];
  line: number;
  note?: string;
  look?: string;
}

/** What a message means: the part of it that is known, and numbers of it. */
interface Meaning {
  quote: string;
  meaning: string;
  needed?: string;
  came?: string;
  shape?: string;
}
type PyNode = import("./tree.js").PyNode;
type Scope = import("./values.js").Scope;
type Library = import("./values.js").Library;
type Shaped = import("./values.js").Shaped;
type Instance = import("./values.js").Instance;
type PyRun = import("./interpreter.js").Interpreter;
type Builtin = (args: PyValue[], run: PyRun, call: PyCall) => PyValue;
type Torch = import("./torch.js").Torch;
type CodeStep = LayerStep & { inputShapes: number[][]; sources: (number | null)[]; node: PyNode; module: any; misfit?: any; isInSequence?: boolean };
type ProgramPass = Pass & { unread: Unread[]; isVoid: boolean };
