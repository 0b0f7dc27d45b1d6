// @ts-check
/** ForwardStepper: the stage on which a network's forward pass is walked through, step by step. */
import { Answer } from "./answer.js";
import { Drawer, Help, showWide } from "./asides.js";
import { flatIndex, isUnit, strongestBelow, strongestPath, unitOver } from "./explanation.js";
import { InputPanel } from "./input/panel.js";
import { Pad } from "./input/pad.js";
import { Ties } from "./lines.js";
import { Address, linkOf, readLink } from "./links.js";
import { signedPalette } from "./maps.js";
import { OperationPanel } from "./operation.js";
import { InPanel, OutPanel } from "./panels.js";
import { State } from "./state.js";
import { Strip } from "./strip.js";
import { Sweep } from "./sweep.js";
import { hintOf, sentenceOf, unitText } from "./words.js";
import { watchValue } from "../shared/arrays.js";
import { readTheme, watchTheme } from "../shared/colours.js";
import { announcer, button, element, prefersLessMotion, setAttribute, setText, watchSize } from "../shared/elements.js";
import { whenInPage } from "../shared/mounting.js";
import { numberText, shapeText } from "../shared/text.js";
import { Transport } from "../shared/transport.js";

const PLAY_MILLISECONDS = 3600; // a sweep, and time to read
const HOP_MILLISECONDS = 300;
const CARRY_MILLISECONDS = 450;
const NARROW = 560; // CSS pixels; below it the stage is laid out for a phone
const WIDE = 960;
const PADS = { narrow: 84, column: 112, wide: 112 };
const HEIGHTS = { narrow: [600, 760], column: [660, 760], wide: [580, 900] };
const BLANK = "Nothing is drawn yet: these are the network's numbers for an empty picture.";
const ON_PATH = "What adds most, back to the picture: the frame stands on that path. Back and Next follow it; Escape leaves it.";
const TABS = ["in", "operation", "out"];

class Stage {
  #state; #address; #pad; #input; #inputRoom; #in; #operation; #out; #strip; #answer; #drawer; #transport; #sweep; #help; #turn; #teach;
  #why = element("button", { type: "button", class: "lenet-button", onclick: () => this.#explain() }, "Why", element("span", { class: "lenet-in-full" }, " this answer"), "?");
  #ties = new Ties();
  #reset = button("Reset", () => this.#pad.takeBack(true), { title: "Clear the pad", class: "lenet-link lenet-reset" });
  #aloud = announcer();
  #position = element("span", { class: "lenet-position" });
  #sentence = element("b", {});
  #taught = element("span", { class: "lenet-taught" }, "You changed the weights. ", button("Reset them", () => this.#unteach(), { class: "lenet-link" }), " ");
  #hint = element("p", { class: "lenet-muted lenet-hint" });
  #panels; #tabs; #stops;
  /** @type {Theme | undefined} */
  #theme;
  #size = "";
  #frame = 0;
  #hop = 0;
  /** The walk back and the lessons, as far as they are loaded. @type {Partial<Record<Mode, Side>>} */
  #sides = {};
  /** @type {Partial<Record<Mode, Promise<Side>>>} */
  #coming = {};
  #entering = /** @type {Mode} */ ("forward");

  /** @param {Model} model @param {string} address  the name of links into this widget; "" for none */
  constructor(model, address) {
    const state = new State(model);
    this.#state = state;
    this.#address = new Address(address, (name) => linkOf(name, state, this.#side?.link));
    const pen = { drawn: () => this.#drawn(), lifted: () => this.#lifted() };
    this.#pad = new Pad(state.input, pen);
    this.#input = new InputPanel(state.input, { ...pen, chosen: (/** @type {number} */ sample) => this.#choose({ sample, picked: [] }) });
    this.#inputRoom = element("section", { class: "lenet-panel lenet-input", "aria-label": "in" }, element("p", { class: "lenet-heading" }, "in · ", element("b", {}, "your picture")), element("div", { class: "lenet-room" }, this.#input.node));
    const over = (/** @type {Unit} */ below) => unitOver(state.steps, state.step, below, state.picked);
    this.#in = new InPanel(state, { pick: (below) => this.#pick(over(below)), point: (below) => this.#point(below && over(below)) });
    this.#out = new OutPanel(state, { pick: (unit) => this.#pick(unit), point: (unit) => this.#point(unit) });
    this.#operation = new OperationPanel(state, (channel) => this.#showChannel(channel));
    this.#strip = new Strip(state, (step) => this.#walkTo(state.mode === "back" ? Math.min(2 * state.steps.length - 1 - step, this.#last) : step));
    this.#answer = new Answer(state, (label) => state.mode === "back" && this.#label(label));
    this.#sweep = new Sweep(state, () => this.#schedule());
    this.#drawer = new Drawer(state.meta.listings);
    this.#turn = button("Gradients", () => this.#enter(state.mode === "forward" ? "back" : "forward", state.steps.length - 1), { class: "lenet-button lenet-turn", hidden: !state.canLearn });
    const canTrain = state.canLearn && !state.input.whyNotDraw;
    this.#teach = button("Teach it", () => this.#enter("teach", state.step), { class: "lenet-button lenet-turn", hidden: !canTrain });
    this.#transport = this.#makeTransport();
    this.#panels = element("div", { class: "lenet-panels" }, this.#inputRoom, this.#in.node, this.#operation.node, this.#out.node, this.#ties.node);
    this.#tabs = element("div", { class: "lenet-tabs", role: "group", "aria-label": "What is shown" }, ...TABS.map((name, i) => button(name, () => this.#turnTo(i))));
    this.root = this.#build();
    this.#help = new Help(this.root, [
      [this.#pad.node, 0, 1, "Draw on the pad. The whole network follows your pen."],
      [this.#strip.node, 0.35, 0.8, "The row of steps is the whole network, from the picture to the answer. Choose a step to look inside."],
      [this.#operation.node, 0.3, 0.45, "The operation shows how the framed number came about. Point at another number of what comes out."],
      [this.#transport.node, 0, -2, "Next goes one operation further. Play walks by itself; the slider moves the window."],
    ]);
    this.#stops = this.#listen(model);
  }

  #build() {
    const name = `Forward pass of ${this.#state.meta.model}`;
    const pad = element("div", { class: "lenet-pad-room" }, this.#pad.node, this.#reset);
    const top = element("div", { class: "lenet-top" }, pad, this.#strip.node, this.#answer.node);
    const sentence = element("p", { class: "lenet-sentence" }, this.#position, " ", this.#taught, this.#sentence);
    const words = element("div", { class: "lenet-caption" }, sentence, this.#hint);
    const bar = element("div", { class: "lenet-bar" }, words, this.#transport.node);
    const screen = element("div", { class: "lenet-screen" }, top, this.#tabs, this.#panels, bar);
    return element("div", { class: "lenet-widget lenet-stepper", role: "group", "aria-label": name }, screen, this.#drawer.node, this.#aloud.node);
  }

  #makeTransport() {
    const state = this.#state;
    const end = () => (state.mode === "forward" ? state.steps.length - 1 : this.#last);
    const transport = new Transport({ at: () => state.place, last: () => this.#last, end, go: (place) => this.#walkTo(place), milliseconds: () => PLAY_MILLISECONDS }, { back: "◀ Back" });
    transport.next.classList.add("lenet-main");
    const wide = button("Wide", () => showWide(this.root, () => this.#fit()), { class: "lenet-button lenet-widen", "aria-label": "Wide stage" });
    const tools = [
      this.#turn,
      this.#teach,
      this.#why,
      button("Code", () => this.#drawer.toggle(), { "aria-expanded": "false" }),
      ...(this.#address.name ? [button("Link", () => this.#copyLink())] : []),
      wide,
      button("?", () => this.#help.toggle(), { "aria-label": "Help" }),
    ];
    this.#drawer.opener = tools[3];
    transport.node.append(this.#sweep.node, element("span", { class: "lenet-tools" }, ...tools));
    return transport;
  }

  /** @param {Model} model @returns {(() => void)[]}  ends it */
  #listen(model) {
    const ending = new AbortController();
    addEventListener("hashchange", () => this.#followLink(), ending);
    addEventListener("resize", () => this.#fit(), ending);
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.#escape(event));
    this.#panels.addEventListener("scroll", () => this.#markTab());
    return [
      watchValue(model, "step", () => this.#showStep()),
      watchValue(model, "picked", () => this.#schedule()),
      watchValue(model, "sample", () => this.#showAs(null)),
      watchSize(this.root, () => this.#fit()),
      watchTheme(() => this.#restyle()),
      this.#input.accept(this.root),
      () => ending.abort(),
      () => this.#transport.stop(),
      () => this.#sweep.stop(),
      () => cancelAnimationFrame(this.#frame),
      () => this.#address.stop(),
      () => window.clearTimeout(this.#hop),
    ];
  }

  /** Begin, once the widget is in the page. */
  start() {
    if (!this.#followLink() && this.#state.meta.digits) this.#enter("teach", 0);
    this.#restyle();
  }

  // ------------------------------------------------------------------------ what the reader does

  /** @param {Record<string, any>} values */
  #choose(values) {
    this.#state.preview = null;
    this.#state.choose(values);
    this.#rememberLink();
  }

  /** The place where the walk ends. */
  get #last() {
    const { steps, canLearn } = this.#state;
    return this.#side?.last ?? steps.length - Number(!canLearn);
  }

  /** Walk to a place: the steps forward, then those back. @param {number} place */
  #walkTo(place) {
    const { steps, mode } = this.#state;
    if (place >= steps.length) this.#enter("back", 2 * steps.length - 1 - place);
    else if (mode === "forward") this.#go(place);
    else this.#enter("forward", place);
  }

  /** Show another side of the stage: the walk forward, the walk back, or the lessons. @param {Mode} mode @param {number} step @param {Wanted} [wanted]  by a link */
  async #enter(mode, step, wanted) {
    this.#entering = mode;
    if (mode !== "forward") this.#sides[mode] ??= await (this.#coming[mode] ??= this.#load(mode));
    if (this.#entering !== mode) return; // the reader has turned elsewhere while it came
    const [hasTurned, isSame] = [this.#state.mode !== mode, this.#state.step === step];
    this.#sweep.stop();
    this.#stopWhy();
    this.#state.mode = mode;
    if (wanted) this.#side?.follow?.(wanted);
    this.#choose({ picked: mode === "forward" && wanted && isUnit(wanted.unit, this.#state.steps[step].shape) ? wanted.unit : [], step });
    if (hasTurned) this.#turnSides();
    else if (isSame) this.#showStep();
  }

  /** Take another side into the stage. @param {"back" | "teach"} mode */
  async #load(mode) {
    const { makeSide } = await import("./backward/sides.js");
    const side = await makeSide(mode, this.#state, { changed: () => this.#showPicture(), moved: () => this.#schedule(), picked: () => this.#rememberLink(), label: (label) => this.#label(label), unteach: () => this.#unteach() });
    this.#stops.push(() => side.stop());
    return side;
  }

  /** Forget what the reader has taught. */
  #unteach() {
    for (const side of Object.values(this.#sides)) side.unteach();
    this.#state.unteach();
    this.#showPicture();
  }

  /** What is shown instead of the walk forward. */
  get #side() { return this.#sides[this.#state.mode]; }

  #turnSides() {
    const { mode } = this.#state;
    for (const node of Object.values(this.#sides).flatMap(({ nodes }) => nodes)) node.remove();
    this.#ties.node.before(...(this.#side?.nodes ?? []));
    for (const node of [this.#operation.node, this.#out.node, this.#sweep.node, this.#why]) node.hidden = mode !== "forward";
    this.root.dataset.mode = mode;
    const tabs = this.#side?.tabs ?? TABS;
    [...this.#tabs.children].forEach((tab, i) => setText(tab, tabs[i]));
    setText(this.#turn, mode === "forward" ? "Gradients" : "Forward");
    setAttribute(this.#teach, "aria-pressed", String(mode === "teach"));
    this.#size = ""; // other panels have other rooms
    this.#fit();
  }

  /** Go to a step; the picked unit goes along, to what it came from or what comes of it. @param {number} step */
  #go(step) {
    const state = this.#state;
    const from = state.step;
    if (step === from) return;
    const picked = this.#carriedUnit(from, step);
    this.#sweep.stop();
    state.channel = null;
    const carry = this.#carry(from, step);
    this.#choose({ picked: picked ?? [], step });
    carry();
    if (!this.#hop) this.#sweep.begin();
  }

  /** @param {number} from @param {number} step @returns {Unit | null} */
  #carriedUnit(from, step) {
    const { steps, engine, unit, path, isPicked } = this.#state;
    if (path?.has(step)) return path.get(step) ?? null;
    if (!isPicked) return null;
    if (steps[from].inputs.includes(step)) {
      const below = strongestBelow(engine, from, unit);
      return below?.step === step ? below.unit : null;
    }
    return steps[step].inputs[0] === from && step ? unitOver(steps, step, unit, this.#state.strongest(step)) : null;
  }

  /** @param {Unit | null} unit  null where there is none */
  #pick(unit) {
    if (!unit) return;
    this.#transport.stop();
    this.#stopWhy();
    this.#sweep.stop();
    this.#choose({ picked: unit });
  }

  /** @param {Unit | null} unit */
  #point(unit) {
    if (this.#sweep.isRunning || String(unit) === String(this.#state.preview)) return;
    this.#state.preview = unit;
    if (unit) this.#state.sweep = null;
    this.#schedule();
  }

  /** @param {number | null} channel */
  #showChannel(channel) {
    this.#state.channel = channel;
    this.#schedule();
    this.#rememberLink();
  }

  /** Walk back along the strongest way, from the answer to a pixel. */
  #explain() {
    const places = strongestPath(this.#state.engine);
    this.#transport.stop();
    this.#stopWhy();
    this.#state.path = new Map(places.map(({ step, unit }) => [step, unit]));
    const hop = () => {
      const place = places.shift();
      if (!place) return this.#stopHops();
      this.#hop = window.setTimeout(hop, HOP_MILLISECONDS);
      this.#sweep.stop();
      this.#choose({ picked: place.unit, step: place.step });
    };
    if (prefersLessMotion()) places.splice(1);
    hop();
  }

  #stopHops() {
    window.clearTimeout(this.#hop);
    this.#hop = 0;
  }

  #stopWhy() {
    this.#stopHops();
    if (!this.#state.path) return;
    this.#state.path = null;
    this.#showStep();
  }

  /** Close what was opened last, that alone: not what the stage itself stands in. @param {KeyboardEvent} event */
  #escape(event) {
    if (this.#help.isOpen) this.#help.toggle();
    else if (this.#drawer.isOpen) this.#drawer.toggle();
    else if (this.#state.path) this.#stopWhy();
    else return;
    event.preventDefault();
  }

  // ------------------------------------------------------------------------ links

  /** Go where the address leads, if it leads into this widget. */
  #followLink() {
    const wanted = readLink(this.#address.name, location.hash, this.#state.steps.length);
    if (!wanted) return false;
    const { mode, step, unit, channel, picture } = wanted;
    if (picture && this.#state.input.fromText(picture)) this.#showPicture();
    this.#state.channel = channel;
    if (mode !== this.#state.mode || mode !== "forward") this.#enter(mode, step, wanted);
    else this.#choose({ picked: isUnit(unit, this.#state.steps[step].shape) ? unit : [], step });
    return true;
  }

  /** The address follows what the reader does, once the stage has begun. */
  #rememberLink() { if (this.#theme) this.#address.remember(); }

  #copyLink() {
    this.#address.write();
    const said = () => this.#aloud.say("The link to this step is copied.");
    navigator.clipboard?.writeText(location.href).then(said, () => {});
    setText(this.#hint, "The address of this page now leads here; it is copied where the browser allows.");
  }

  // ------------------------------------------------------------------------ what is shown

  /** Fit into the room there is: wide, in a column of text, or on a phone. */
  #fit() {
    if (!this.#theme) return;
    const width = this.root.clientWidth;
    const kind = width < NARROW ? "narrow" : width < WIDE ? "column" : "wide";
    const hasChanged = !this.root.classList.contains(`lenet-${kind}`);
    const [lowest, highest] = HEIGHTS[kind];
    const screen = document.documentElement.clientHeight; // stays when a phone's bars come and go
    const top = this.root.closest("dialog") ? 40 : this.root.getBoundingClientRect().top + scrollY;
    const height = Math.min(Math.max(screen - (top < screen / 2 ? top : 64) - 12, lowest), highest);
    const size = `${width} ${height}`;
    if (size === this.#size) return;
    this.#size = size;
    this.root.classList.remove("lenet-narrow", "lenet-column", "lenet-wide");
    this.root.classList.add(`lenet-${kind}`);
    this.root.style.setProperty("--stage-height", `${height}px`);
    this.#pad.side = PADS[kind];
    if (hasChanged) this.#drawer.dock(kind !== "wide");
    this.#showPicture();
    this.#markTab();
  }

  #restyle() {
    this.#theme = readTheme(this.root);
    this.#state.scales.signed = signedPalette(this.#theme);
    this.#size = "";
    this.#fit();
  }

  /** Another picture, or its drawing has changed: compute, and show all of it. */
  #showPicture() {
    this.#state.compute();
    this.#showActivations();
    this.#showStep();
  }

  #showActivations() {
    if (!this.#theme) return;
    this.#pad.show();
    this.#reset.classList.toggle("lenet-away", !this.#state.input.strokes.length);
    if (this.#state.step === 0) this.#input.show();
    this.#answer.show();
    const side = this.#side;
    this.#strip.draw(side?.values ?? this.#state.engine.values, (step) => this.#state.scales.of(step, side?.values), this.#theme);
  }

  /** @param {number | null} said  what the reader says the picture is */
  #showAs(said) {
    Object.assign(this.#state, { said, before: null });
    this.#showPicture();
  }

  /** @param {number} label */
  #label(label) {
    this.#showAs(label);
    this.#rememberLink();
  }

  /** The pen has moved: show it when the browser draws anyway. */
  #drawn() {
    if (this.#transport.isPlaying) this.#transport.stop();
    this.#stopWhy();
    this.#state.before = null;
    if (this.#state.input.strokes.length < 2) this.#state.said = null; // another digit is begun
    this.#frame ||= requestAnimationFrame(() => this.#showDrawing());
  }

  #showDrawing() {
    this.#state.compute();
    this.#showActivations();
    this.#showUnit();
  }

  /** A stroke is finished: say what came of it. */
  #lifted() {
    this.#showDrawing();
    this.#rememberLink();
    this.#aloud.say(this.#answer.aloud());
  }

  #showStep() {
    if (!this.#theme) return;
    const { step, steps, path } = this.#state;
    const side = this.#side;
    const isInput = step === 0;
    this.#inputRoom.hidden = Boolean(side) || !isInput;
    this.#in.node.hidden = Boolean(side) || isInput;
    this.#transport.show(`${steps[step].name}, step ${step} of ${steps.length - 1}`);
    this.#transport.next.textContent = this.#nextText();
    this.#strip.mark(step, path);
    this.#drawer.show(steps[step]);
    this.#taught.hidden = Boolean(side) || !this.#state.isTaught;
    setText(this.#position, side?.position ?? `step ${step} of ${steps.length - 1}`);
    setText(this.#sentence, side?.sentence ?? sentenceOf(steps, step));
    const hint = side?.hint ?? hintOf(steps[step], this.#sweep.sweeps);
    setText(this.#hint, path ? ON_PATH : this.#state.input.isBlank && step ? BLANK : hint);
    this.#operation.reset();
    if (side) side.fit?.();
    else if (isInput) {
      const room = /** @type {HTMLElement} */ (this.#input.node.parentElement);
      this.#input.layOut(room.clientWidth, room.clientHeight);
      this.#input.show();
    } else this.#in.fit(steps[step].inputs[0]);
    if (!side) this.#out.fit(step);
    this.#showUnit();
    this.#say();
  }

  /** What the next step is. */
  #nextText() {
    const { step, steps, mode, canLearn } = this.#state;
    if (mode === "back") return this.#state.place < this.#last ? `Next: ${steps[step - 1].name} ▶` : "The end";
    if (step + 1 < steps.length) return `Next: ${steps[step + 1].name} ▶`;
    return canLearn ? "On: the loss ▶" : "The end";
  }

  #say() {
    const { step, steps, unit, engine } = this.#state;
    if (this.#side) return this.#aloud.say(this.#side.aloud);
    const value = engine.values[step][flatIndex(unit, steps[step].shape)];
    const shape = shapeText(["N", ...steps[step].shape]);
    this.#aloud.say(`Step ${step}, ${steps[step].name}, shape ${shape}. ${unitText(unit)}: ${numberText(value)}.`);
  }

  /** Show another unit when the browser draws anyway. */
  #schedule() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#showUnit();
      if (!this.#sweep.isRunning && !this.#state.preview) this.#say();
    });
  }

  #showUnit() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.#theme) return;
    const { step, unit } = this.#state;
    if (this.#side) this.#side.show(this.#theme);
    if (this.#side) return this.#ties.show([]);
    if (step > 0) this.#in.show(unit, this.#theme);
    this.#operation.show(unit, this.#theme);
    this.#out.show(unit, this.#theme);
    this.#sweep.show();
    this.#showTies(unit);
  }

  /** @param {Unit} unit */
  #showTies(unit) {
    if (!this.root.classList.contains("lenet-wide")) return this.#ties.show([]);
    const box = this.#state.step ? this.#in.boxOf(unit) : null;
    const ties = this.#operation.anchors.flatMap(({ row, unit: below, channel, size }) => {
      const from = below ? this.#in.maps.rectangleOf(below) : box && this.#in.maps.rectangleIn(box, channel);
      return from ? [{ from, to: row.getBoundingClientRect(), size }] : [];
    });
    this.#ties.show(ties, { from: this.#operation.sum.getBoundingClientRect(), to: this.#out.maps.rectangleOf(unit) });
  }

  /** What came out becomes what goes in: let the maps travel from one side to the other. @param {number} from @param {number} to */
  #carry(from, to) {
    const { steps } = this.#state;
    const isOnward = steps[to].inputs[0] === from && from > 0;
    const isBack = steps[from].inputs[0] === to && to > 0;
    if (prefersLessMotion() || !(isOnward || isBack) || this.root.classList.contains("lenet-narrow")) return () => {};
    const [source, target] = isOnward ? [this.#out, this.#in] : [this.#in, this.#out];
    const start = source.maps.canvas.getBoundingClientRect();
    return () => {
      const end = target.maps.canvas.getBoundingClientRect();
      if (!end.width || !start.width) return;
      const move = `translate(${start.left - end.left}px, ${start.top - end.top}px) scale(${start.width / end.width}, ${start.height / end.height})`;
      this.root.classList.add("lenet-carrying"); // what travels may leave its panel
      const travel = target.maps.canvas.animate([{ transform: move, transformOrigin: "0 0" }, { transform: "none", transformOrigin: "0 0" }], { duration: CARRY_MILLISECONDS, easing: "ease-in-out" });
      travel.finished.then(() => this.root.classList.remove("lenet-carrying"), () => {});
    };
  }

  // ------------------------------------------------------------------------ on a phone

  /** @param {number} tab */
  #turnTo(tab) {
    this.#panels.scrollTo({ left: tab * this.#panels.clientWidth, behavior: prefersLessMotion() ? "instant" : "smooth" });
  }

  #markTab() {
    const at = Math.round(this.#panels.scrollLeft / this.#panels.clientWidth);
    [...this.#tabs.children].forEach((tab, i) => tab.setAttribute("aria-pressed", String(i === at)));
  }

  /** End everything that the widget has begun. */
  stop() {
    for (const stop of this.#stops) stop();
  }
}

/** @param {{ model: Model, el: HTMLElement }} context */
export function render({ model, el }) {
  const stage = new Stage(model, el.id);
  el.append(stage.root);
  const endWait = whenInPage(el, () => stage.start());
  return () => {
    endWait();
    stage.stop();
  };
}

export default { render };
