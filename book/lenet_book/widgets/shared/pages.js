// @ts-check
/**
 * Shows the widgets of a page that has no kernel.
 *
 * Where a widget is to appear the page has a box, in it what can be shown without a script, then the
 * states that no widget before it needed, and a call of `lenetWidgets.mount()`: it comes to life
 * while the rest of the page is still on its way. The front end of its class comes in a script that
 * calls `lenetWidgets.define()`; what the front end imports later is fetched from beside that script,
 * and so are its workers, except on a page from disk, where browsers start none from a file.
 */
import { element } from "./elements.js";
import { Values } from "./values.js";

const STATES = 'script[type="application/vnd.jupyter.widget-state+json"]';
const BOXES = "[data-model]";
const AHEAD = 600; // how far out of view, in pixels, a widget is made ready

/** @type {Record<number, string>} */
const chunks = {};
/** @type {Map<string, Values>} */
const models = new Map();
/** @type {Map<Element, Values>} */
const waiting = new Map();
/** @type {Map<string, ExpectedWidget>} */
const expected = new Map();

/** @param {StoredModel} entry */
function modelOf({ state, buffers }) {
  const bytes = buffers.filter(({ path }) => path.length === 1).map(({ path: [name], chunks }) => [name, bytesOf(chunks)]);
  return new Values({ ...state, ...Object.fromEntries(bytes) });
}

/** @param {number[]} numbers  of chunks */
function bytesOf(numbers) {
  const text = numbers.map((number) => atob(chunks[number])).join("");
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return new DataView(bytes.buffer);
}

/** Expect the definition of a class, or find it. @param {string} name @returns {ExpectedWidget} */
function expect(name) {
  const known = expected.get(name) ?? /** @type {ExpectedWidget} */ ({});
  known.coming ??= new Promise((came, failed) => Object.assign(known, { came, failed }));
  expected.set(name, known);
  return known;
}

/** The class of a widget of ours; empty for controls of ipywidgets. @param {Values} model */
function classOf(model) {
  return String(model.get("_anywidget_id") ?? "").split(".").pop() ?? "";
}

/** The definition of a model's class, with its front end ready. @param {Values} model */
async function loaded(model) {
  const name = classOf(model);
  const definition = await expect(name).coming;
  if (definition.version !== model.get("format_version")) {
    throw new Error("it was stored by another version of the package; execute its notebook again");
  }
  if (!definition.frontEnd) {
    document.head.append(element("style", {}, definition.style));
    const { source } = definition;
    const addressOf = source && location.protocol !== "file:" ? (/** @type {string} */ worker) => beside(source, worker) : null;
    const makePart = async (/** @type {string} */ part, /** @type {object} */ names) => (await partOf(name, part, source))({ ...names, addressOf }, makePart);
    definition.frontEnd = definition.make(makePart);
  }
  return definition.frontEnd;
}

/** The address of what lies beside a front end's script. @param {string} source @param {string} word */
function beside(source, word) {
  return source.replace(/\.js(?=\?|$)/, `.${word}.js`);
}

/** What a front end imports later; it is in the page, or else in a file beside the front end's own. @param {string} name @param {string} part @param {string} [source]  of the front end */
function partOf(name, part, source) {
  const { coming, failed } = expect(`${name}.${part}`);
  const onerror = () => failed(new Error(`${name}.${part}.js does not come`));
  if (source) document.head.append(element("script", { src: beside(source, part), onerror }));
  return coming;
}

/** @param {string} html */
function textOf(html) {
  return new DOMParser().parseFromString(html, "text/html").body.textContent ?? "";
}

/** @param {any} output */
function lastOutput({ data, text }) {
  const alt = [text ?? data?.["text/plain"] ?? ""].flat().join("");
  const picture = data?.["image/png"];
  return picture ? element("img", { src: `data:image/png;base64,${picture}`, alt: alt || "output" }) : element("pre", {}, alt);
}

/** What a control of ipywidgets showed when the page was made. @param {Values} model @returns {HTMLElement} */
function lastState(model) {
  const children = (model.get("children") ?? []).map((/** @type {string} */ reference) => models.get(reference.replace("IPY_MODEL_", "")));
  const outputs = (model.get("outputs") ?? []).map(lastOutput);
  const value = model.get("value") ?? model.get("_options_labels")?.[model.get("index")] ?? null;
  const words = value === null ? [] : [element("p", {}, [model.get("description") ?? "", String(value)].map(textOf).filter(Boolean).join(": "))];
  return element("div", {}, ...children.filter(Boolean).map(lastState), ...outputs, ...words);
}

const whenIdle = window.requestIdleCallback ?? setTimeout; // Safari has no such callback
const observer = new IntersectionObserver(
  (entries) => entries.forEach(({ isIntersecting, target }) => isIntersecting && fill(target)),
  { rootMargin: `${AHEAD}px 0px` },
);

/** Show a widget, if it waits still. @param {Element} box */
async function fill(box) {
  const model = waiting.get(box);
  if (!model) return;
  waiting.delete(box);
  observer.unobserve(box);
  try {
    const frontEnd = await loaded(model);
    box.replaceChildren();
    await frontEnd.render({ model, el: box });
  } catch (error) {
    console.error(error);
    const reason = error instanceof Error ? error.message : error;
    box.replaceChildren(element("p", { class: "lenet-static-failure", role: "alert" }, `This widget cannot be shown: ${reason}.`));
  }
  box.removeAttribute("aria-busy");
}

/** Show a widget at once if its box is near, or the address names it, and otherwise later. @param {HTMLElement} box */
function begin(box) {
  const model = models.get(box.dataset.model ?? "");
  box.removeAttribute("data-model");
  if (!model) return;
  if (!classOf(model)) {
    const note = element("p", {}, "These controls need a running Python kernel. Here is what they showed last.");
    return box.replaceChildren(element("div", { class: "lenet-static-control" }, note, lastState(model)));
  }
  box.setAttribute("aria-busy", "true");
  waiting.set(box, model);
  const isNamed = location.hash.split(":")[0] === `#${box.id}`;
  if (isNamed) fill(box).then(() => box.scrollIntoView());
  else if (box.getBoundingClientRect().top < innerHeight + AHEAD) fill(box);
  else observer.observe(box);
}

/** Take in the states that the page holds by now, and begin with the boxes that it has. */
function mount() {
  for (const script of document.querySelectorAll(STATES)) {
    const part = JSON.parse(script.textContent ?? "");
    Object.assign(chunks, part.chunks);
    for (const [id, entry] of Object.entries(part.state)) models.set(id, modelOf(entry));
    script.remove();
  }
  for (const box of document.querySelectorAll(BOXES)) begin(/** @type {HTMLElement} */ (box));
}

/** Show the widgets further down one by one, while there is nothing else to do. */
function continueWhenIdle() {
  const below = [...waiting.keys()].find((box) => box.getBoundingClientRect().top > 0);
  if (below) whenIdle(() => fill(below).then(continueWhenIdle));
}

addEventListener("load", () => {
  for (const [name, { failed }] of expected) failed(new Error(`this page has no widget called ${name}`));
  for (const model of waiting.values()) loaded(model).catch(() => {}); // printing waits for none
  continueWhenIdle();
});
addEventListener("beforeprint", () => [...waiting.keys()].forEach(fill));

/** @param {string} name @param {any} definition  of a class or, under "Name.part" with the part's name, the function that makes what it imports later */
function define(name, definition) {
  expect(name).came(Object.assign(definition, { source: /** @type {HTMLScriptElement | null} */ (document.currentScript)?.src }));
}

Object.assign(window, { lenetWidgets: { mount, define } });
