// @ts-check
/** TrainingLab: predict what a fault does to a training, see it, and recognise faults by their curves. */
import { trainingCharts } from "../shared/chart.js";
import { Difference } from "./difference.js";
import { partOf, readArrays, setValue, watchValue } from "../shared/arrays.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { OWN_KEYS, button, element, watchSize, withCode } from "../shared/elements.js";
import { mounting } from "../shared/mounting.js";
import { sumOf } from "../shared/numbers.js";
import { Question } from "../shared/question.js";
import { countText, numberText, percentText } from "../shared/text.js";

const PREDICTIONS = [
  { key: "nothing", text: "It stays at guessing", reply: "it stays at guessing" },
  { key: "worse", text: "It learns, but ends lower", reply: "it learns, but ends lower than the healthy loop" },
  { key: "same", text: "It ends as high", reply: "it ends as high as the healthy loop" },
];
const HIDDEN = ["healthy", "?"]; // what the curves are called while the fault is to be guessed
const CHANCE = 1.5; // times the accuracy of guessing: less counts as nothing learned
const ROWS = 7; // of the table of numbers

/** @param {number[]} numbers */
function meanOf(numbers) {
  return sumOf(numbers) / numbers.length;
}

class Lab {
  #model; #meta; #arrays; #modes; #picker; #prediction; #quiz; #another; #charts;
  /** @type {Fault | null} the fault to be guessed, or null outside of the quiz */
  #mystery = null;
  /** @type {Map<string, string[]>} by the names of the faults whose curves the reader has seen: what was predicted */
  #revealed = new Map();
  /** @type {Fault[]} what the quiz asks next */
  #waiting = [];
  /** @type {string[]} names of faults, the last one perhaps right */
  #guesses = [];
  #tally = { asked: 0, atOnce: 0 };
  #difference = new Difference();
  #reading = element("p", { class: "lenet-reading" });
  #numbers = element("table");
  #words = element("dl", { class: "lenet-words" });

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#meta = /** @type {LabMeta} */ (model.get("meta"));
    this.#arrays = readArrays(model);
    this.#modes = { choose: button("Choose a fault", () => this.#leaveQuiz()), quiz: button("Quiz", () => this.#ask()) };
    this.#picker = this.#makePicker();
    const names = this.#meta.faults.map((fault) => ({ key: fault.name, text: fault.title }));
    this.#prediction = new Question("Predict first: what will the test accuracy do?", PREDICTIONS, (key) => this.#predict(key));
    this.#quiz = new Question("Which fault made the solid curves?", names, (name) => this.#guess(name));
    this.#another = button("Another one", () => this.#askAnother(), { class: "lenet-button lenet-main" });
    this.#quiz.node.append(this.#another);
    this.#charts = this.#makeCharts();
    this.root = this.#build();
    const draw = () => Object.values(this.#charts).forEach((chart) => chart.draw());
    this.stops = [watchValue(model, "fault", () => this.#leaveQuiz()), watchSize(this.root, draw), watchTheme(() => this.show())];
  }

  /** @returns {Fault} */
  get #fault() {
    const { faults } = this.#meta;
    return this.#mystery ?? faults.find(({ name }) => name === this.#model.get("fault")) ?? faults[0];
  }

  get #isRevealed() {
    return this.#mystery ? this.#guesses.includes(this.#mystery.name) : this.#revealed.has(this.#fault.name);
  }

  // ------------------------------------------------------------------------ parts

  #build() {
    const { loss, accuracy } = this.#charts;
    const table = element("details", { class: "lenet-numbers" }, element("summary", {}, "The curves in numbers"), this.#numbers);
    const origin = `Lines are means over the seeds, bands reach from the lowest to the highest. ${this.#meta.origin}.`;
    return element("div", { class: "lenet-widget lenet-lab", role: "group", "aria-label": "Faults of a training loop", ...OWN_KEYS },
      element("div", { class: "lenet-strip" }, ...Object.values(this.#modes), this.#picker.node),
      element("div", { class: "lenet-side-by-side" },
        element("div", { class: "lenet-cause" }, this.#quiz.node, this.#difference.node, this.#prediction.node),
        element("div", { class: "lenet-effect" }, loss.node, accuracy.node)),
      this.#reading, this.#words, table, element("p", { class: "lenet-muted" }, origin));
  }

  #makePicker() {
    const options = this.#meta.faults.map(({ name, title }) => element("option", { value: name }, title));
    const box = element("select", { "aria-label": "fault", onchange: () => setValue(this.#model, "fault", box.value) }, ...options);
    return { box, node: element("label", { class: "lenet-picker" }, "fault", box) };
  }

  #makeCharts() {
    const { numClasses } = this.#meta;
    const loss = { title: "Loss while training", top: 1.4 * Math.log(numClasses) };
    return trainingCharts(numClasses, { xLabel: "updates" }, loss, { title: "Test accuracy" });
  }

  // ------------------------------------------------------------------------ what the reader does

  #leaveQuiz() {
    this.#mystery = null;
    this.show();
  }

  /** @param {string} key */
  #predict(key) {
    this.#revealed.set(this.#fault.name, [key]);
    this.show();
  }

  /** What became of the test accuracy: the key of one of the predictions. */
  #outcome() {
    const { loops, numClasses } = this.#meta;
    const reached = meanOf(loops[this.#fault.name].late);
    if (reached < CHANCE / numClasses) return "nothing";
    return reached < Math.min(...loops[this.#fault.healthy].late) ? "worse" : "same";
  }

  #ask() {
    if (!this.#waiting.length) this.#waiting = [...this.#meta.faults].sort(() => Math.random() - 0.5);
    this.#mystery = this.#waiting.pop() ?? null;
    this.#guesses = [];
    this.show();
  }

  /** The button that was pressed goes until this one is solved, too. */
  #askAnother() {
    this.#ask();
    this.#quiz.focus();
  }

  /** @param {string} name */
  #guess(name) {
    this.#guesses.push(name);
    if (this.#isRevealed) {
      this.#tally.asked += 1;
      this.#tally.atOnce += Number(this.#guesses.length === 1);
      this.#revealed.set(name, this.#revealed.get(name) ?? []);
    }
    this.show();
  }

  /** What is said to the last guess. @param {Fault} mystery */
  #quizReply(mystery) {
    const guessed = this.#meta.faults.find(({ name }) => name === this.#guesses.at(-1));
    const { asked, atOnce } = this.#tally;
    const hint = `${guessed?.title} leaves nearly the same curves. Here it is another fault. How would you make sure in your own code?`;
    if (!guessed) return "";
    if (guessed === mystery) return `Right: ${mystery.title}. ${atOnce} of ${asked} at the first try.`;
    if (guessed.flat && mystery.flat) return `It could be: ${hint}`;
    return `No. With ${guessed.title}: ${guessed.seen}`;
  }

  // ------------------------------------------------------------------------ what is shown

  show() {
    readTheme(this.root);
    const [fault, isRevealed] = [this.#fault, this.#isRevealed];
    const isQuiz = this.#mystery !== null;
    this.#modes.choose.setAttribute("aria-pressed", String(!isQuiz));
    this.#modes.quiz.setAttribute("aria-pressed", String(isQuiz));
    this.#picker.node.hidden = isQuiz;
    if (!isQuiz) this.#picker.box.value = fault.name;
    this.#difference.node.hidden = isQuiz && !isRevealed;
    this.#difference.show(fault.difference);
    this.#prediction.node.hidden = isQuiz;
    this.#showPrediction(this.#revealed.get(fault.name));
    this.#quiz.node.hidden = !isQuiz;
    if (this.#mystery) this.#quiz.show(this.#guesses, isRevealed ? fault.name : null, this.#quizReply(this.#mystery));
    this.#another.hidden = !isRevealed;
    this.#showCurves(isQuiz || isRevealed);
    this.#showWords(isRevealed);
  }

  /** @param {string[] | undefined} given  what was predicted, once the curves are seen */
  #showPrediction(given) {
    const outcome = this.#outcome();
    const judged = given?.length ? `${given[0] === outcome ? "As you said" : "Not quite"}: ` : "";
    const reply = judged && `${judged}${PREDICTIONS.find(({ key }) => key === outcome)?.reply}.`;
    this.#prediction.show(given ?? [], given ? outcome : null, reply);
  }

  /** @param {boolean} both  the fault's curves, too */
  #showCurves(both) {
    const { healthy, name, title } = this.#fault;
    const { updates, testedAfter, loss, accuracy } = this.#arrays;
    const names = both ? [healthy, name] : [healthy];
    const titles = this.#mystery && !this.#isRevealed ? HIDDEN : [this.#meta.loops[healthy].title, title];
    this.#charts.loss.show(this.#curves(names, titles, updates, loss));
    this.#charts.accuracy.show(this.#curves(names, titles, testedAfter, accuracy));
    this.#showNumbers(names, titles);
    this.#reading.textContent = this.#readingText(names, titles);
  }

  /** @param {string[]} names @param {string[]} titles @param {Tensor} times @param {Tensor} values @returns {Curve[]} */
  #curves(names, titles, { data: xs }, values) {
    return names.map((name, index) => {
      const [ys, low, high] = this.#edges(values, name);
      return { name: titles[index], look: index ? "first" : "second dashed", xs, ys, band: [low, high] };
    });
  }

  /** Mean, lowest and highest values of a loop. @param {Tensor} values @param {string} name */
  #edges(values, name) {
    const loop = { shape: [3], data: partOf(values, this.#meta.order.indexOf(name)) };
    return [0, 1, 2].map((edge) => partOf(loop, edge));
  }

  /** @param {string[]} names @param {string[]} titles */
  #readingText(names, titles) {
    const parts = names.map((name, index) => {
      const { late } = this.#meta.loops[name];
      const range = late.length > 1 ? ` (${percentText(Math.min(...late))} to ${percentText(Math.max(...late))})` : "";
      return `${titles[index]} ${percentText(meanOf(late))}${range}`;
    });
    return `Accuracy over the last tests: ${parts.join("; ")}.${names.slice(1).map((name) => this.#beyondText(name)).join("")}`;
  }

  /** Say what of a loop's losses cannot be drawn. @param {string} name */
  #beyondText(name) {
    const losses = Array.from(this.#edges(this.#arrays.loss, name)[0]);
    const numbers = losses.filter(Number.isFinite);
    const peak = Math.max(...numbers);
    const height = peak > (this.#charts.loss.options.top ?? peak) ? ` The loss leaves the picture: it reaches ${countText(Math.round(peak))}.` : "";
    return numbers.length < losses.length ? `${height} Some losses were infinite or not a number.` : height;
  }

  /** @param {string[]} names @param {string[]} titles */
  #showNumbers(names, titles) {
    const heads = names.flatMap((_, index) => [`loss, ${titles[index]}`, `accuracy, ${titles[index]}`]);
    const head = element("tr", {}, ...["updates", ...heads].map((text) => element("th", { scope: "col" }, text)));
    const times = this.#arrays.testedAfter.data;
    const rows = Array.from({ length: ROWS }, (_, row) => Math.round((row * (times.length - 1)) / (ROWS - 1))).map((at) =>
      element("tr", {}, element("th", { scope: "row" }, countText(times[at])), ...names.flatMap((name) => this.#numbersAt(name, at))));
    this.#numbers.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
  }

  /** Loss and accuracy of a loop at one of the times when it was tested. @param {string} name @param {number} at */
  #numbersAt(name, at) {
    const { testedAfter, updates, loss, accuracy } = this.#arrays;
    const near = Array.from(updates.data).filter((update) => update <= testedAfter.data[at]).length;
    const numbers = [numberText(this.#edges(loss, name)[0][Math.max(0, near - 1)], 2), percentText(this.#edges(accuracy, name)[0][at])];
    return numbers.map((text) => element("td", {}, text));
  }

  /** @param {boolean} isRevealed */
  #showWords(isRevealed) {
    const { seen, check, fix } = this.#fault;
    const parts = { "What you see": seen, "How to make sure": check, "The fix": fix };
    this.#words.hidden = !isRevealed;
    this.#words.replaceChildren(...Object.entries(parts).map(([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, ...withCode(text)))));
  }
}

export default { render: mounting(Lab) };
