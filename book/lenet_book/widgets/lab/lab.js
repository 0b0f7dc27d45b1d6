// @ts-check
/** TrainingLab: predict what a fault does to a training, see it, and recognise faults by their curves. */
import { trainingCharts } from "../shared/chart.js";
import { difference } from "./difference.js";
import { partOf, readArrays, setValue, watchValue } from "../shared/arrays.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { OWN_KEYS, button, element, watchSize, withCode } from "../shared/elements.js";
import { mounting } from "../shared/mounting.js";
import { sumOf } from "../shared/numbers.js";
import { questionWith } from "../shared/question.js";
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
  #model; #meta; #arrays; #prediction; #quiz; #charts; #picker;
  /** @type {Fault | null} the fault to be guessed, or null outside of the quiz */
  #mystery = null;
  /** @type {Map<string, string[]>} by the names of the faults whose curves the reader has seen: what was predicted */
  #revealed = new Map();
  /** @type {Fault[]} what the quiz asks next */
  #waiting = [];
  /** @type {string[]} names of faults, the last one perhaps right */
  #guesses = [];
  #tally = { asked: 0, atOnce: 0 };
  #modes = { choose: button("Choose a fault", () => this.#leaveQuiz()), quiz: button("Quiz", () => this.#ask()) };
  #another = button("Another one", () => this.#askAnother(), { class: "lenet-button lenet-main" });
  #picking = element("label", { class: "lenet-picker" }, "fault");
  #difference = difference();
  #reading = element("p", { class: "lenet-reading" });
  #numbers = element("table");
  #words = element("dl", { class: "lenet-words" });

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#meta = /** @type {LabMeta} */ (model.get("meta"));
    this.#arrays = readArrays(model);
    const { faults, numClasses, origin } = this.#meta;
    const options = faults.map(({ name, title }) => element("option", { value: name }, title));
    this.#picker = element("select", { "aria-label": "fault", onchange: () => setValue(model, "fault", this.#picker.value) }, ...options);
    this.#picking.append(this.#picker);
    this.#prediction = questionWith("Predict first: what will the test accuracy do?", PREDICTIONS, (key) => this.#predict(key));
    const names = faults.map(({ name, title }) => ({ key: name, text: title }));
    this.#quiz = questionWith("Which fault made the solid curves?", names, (name) => this.#guess(name));
    this.#quiz.node.append(this.#another);
    const lossOptions = { title: "Loss while training", top: 1.4 * Math.log(numClasses) };
    this.#charts = trainingCharts(numClasses, { xLabel: "updates" }, lossOptions, { title: "Test accuracy" });
    const { loss, accuracy } = this.#charts;
    this.root = element("div", { class: "lenet-widget lenet-lab", role: "group", "aria-label": "Faults of a training loop", ...OWN_KEYS },
      element("div", { class: "lenet-strip" }, ...Object.values(this.#modes), this.#picking),
      element("div", { class: "lenet-side-by-side" },
        element("div", { class: "lenet-cause" }, this.#quiz.node, this.#difference.node, this.#prediction.node),
        element("div", { class: "lenet-effect" }, loss.node, accuracy.node)),
      this.#reading, this.#words,
      element("details", { class: "lenet-numbers" }, element("summary", {}, "The curves in numbers"), this.#numbers),
      element("p", { class: "lenet-muted" }, `Lines are means over the seeds, bands reach from the lowest to the highest. ${origin}.`));
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

  #leaveQuiz() {
    this.#mystery = null;
    this.show();
  }

  /** @param {string} key */
  #predict(key) {
    this.#revealed.set(this.#fault.name, [key]);
    this.show();
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

  show() {
    readTheme(this.root);
    const [fault, isRevealed] = [this.#fault, this.#isRevealed];
    const isQuiz = this.#mystery !== null;
    this.#modes.choose.setAttribute("aria-pressed", String(!isQuiz));
    this.#modes.quiz.setAttribute("aria-pressed", String(isQuiz));
    this.#picking.hidden = this.#prediction.node.hidden = isQuiz;
    if (!isQuiz) this.#picker.value = fault.name;
    this.#difference.node.hidden = isQuiz && !isRevealed;
    this.#difference.show(fault.difference);
    this.#showPrediction(this.#revealed.get(fault.name));
    this.#quiz.node.hidden = !isQuiz;
    if (this.#mystery) this.#quiz.show(this.#guesses, isRevealed ? fault.name : null, this.#quizReply(this.#mystery));
    this.#another.hidden = !isRevealed;
    this.#showCurves(isQuiz || isRevealed);
    this.#words.hidden = !isRevealed;
    const words = Object.entries({ "What you see": fault.seen, "How to make sure": fault.check, "The fix": fault.fix });
    this.#words.replaceChildren(...words.map(([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, ...withCode(text)))));
  }

  /** @param {string[] | undefined} given  what was predicted, once the curves are seen */
  #showPrediction(given) {
    const { loops, numClasses } = this.#meta;
    const { name, healthy } = this.#fault;
    const reached = meanOf(loops[name].late);
    const isLower = reached < Math.min(...loops[healthy].late);
    const outcome = reached < CHANCE / numClasses ? "nothing" : isLower ? "worse" : "same";
    const judged = given?.length ? `${given[0] === outcome ? "As you said" : "Not quite"}: ` : "";
    const reply = judged && `${judged}${PREDICTIONS.find(({ key }) => key === outcome)?.reply}.`;
    this.#prediction.show(given ?? [], given ? outcome : null, reply);
  }

  /** @param {boolean} both  the fault's curves, too */
  #showCurves(both) {
    const { healthy, name, title } = this.#fault;
    const { updates, testedAfter, loss, accuracy } = this.#arrays;
    const titles = this.#mystery && !this.#isRevealed ? HIDDEN : [this.#meta.loops[healthy].title, title];
    const loops = (both ? [healthy, name] : [healthy]).map((name, index) =>
      ({ title: titles[index], late: this.#meta.loops[name].late, losses: this.#edges(loss, name), accuracies: this.#edges(accuracy, name) }));
    const curve = (/** @type {Numbers} */ xs, /** @type {string} */ name, /** @type {Numbers[]} */ [ys, low, high], /** @type {number} */ index) =>
      ({ name, look: index ? "first" : "second dashed", xs, ys, band: /** @type {Curve["band"]} */ ([low, high]) });
    this.#charts.loss.show(loops.map(({ title, losses }, index) => curve(updates.data, title, losses, index)));
    this.#charts.accuracy.show(loops.map(({ title, accuracies }, index) => curve(testedAfter.data, title, accuracies, index)));
    this.#showNumbers(loops);
    const reached = loops.map(({ title, late }) => `${title} ${percentText(meanOf(late))}${rangeText(late)}`).join("; ");
    this.#reading.textContent = `Accuracy over the last tests: ${reached}.${both ? this.#beyondText(loops[1].losses[0]) : ""}`;
  }

  /** Mean, lowest and highest values of a loop. @param {Tensor} values @param {string} name */
  #edges(values, name) {
    const loop = { shape: [3], data: partOf(values, this.#meta.order.indexOf(name)) };
    return [0, 1, 2].map((edge) => partOf(loop, edge));
  }

  /** Say which losses cannot be drawn. @param {Numbers} losses */
  #beyondText(losses) {
    const numbers = Array.from(losses).filter(Number.isFinite);
    const peak = Math.max(...numbers);
    const height = peak > (this.#charts.loss.options.top ?? peak) ? ` The loss leaves the picture: it reaches ${countText(Math.round(peak))}.` : "";
    return numbers.length < losses.length ? `${height} Some losses were infinite or not a number.` : height;
  }

  /** @param {{ title: string, losses: Numbers[], accuracies: Numbers[] }[]} loops */
  #showNumbers(loops) {
    const { updates: { data: updates }, testedAfter: { data: times } } = this.#arrays;
    const heads = ["updates", ...loops.flatMap(({ title }) => [`loss, ${title}`, `accuracy, ${title}`])];
    const rows = Array.from({ length: ROWS }, (_, row) => Math.round((row * (times.length - 1)) / (ROWS - 1))).map((at) => {
      const near = Math.max(0, updates.findLastIndex((update) => update <= times[at]));
      const texts = loops.flatMap(({ losses, accuracies }) => [numberText(losses[0][near], 2), percentText(accuracies[0][at])]);
      return element("tr", {}, element("th", { scope: "row" }, countText(times[at])), ...texts.map((text) => element("td", {}, text)));
    });
    const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
    this.#numbers.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
  }
}

/** From the lowest to the highest. @param {number[]} shares */
function rangeText(shares) {
  return shares.length > 1 ? ` (${percentText(Math.min(...shares))} to ${percentText(Math.max(...shares))})` : "";
}

export default { render: mounting(Lab) };
