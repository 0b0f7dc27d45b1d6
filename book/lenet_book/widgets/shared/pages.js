// @ts-check
/**
 * Shows the widgets of a page that has no kernel.
 *
 * Where a widget is to appear the page has a box, in it what can be shown without a script, then the
 * states that no widget before it needed, and a call of `lenetWidgets.mount()`: it comes to life
 * while the rest of the page is still on its way. The front end of its class comes in a script that
 * calls `lenetWidgets.define()`.
 */
(() => {
  "use strict";

  /**
   * @typedef {object} Definition
   * @property {number} version
   * @property {string} style
   * @property {() => FrontEnd} make
   */
  /**
   * @typedef {object} Expected
   * @property {Promise<Definition>} coming
   * @property {(definition: Definition) => void} came
   * @property {(error: Error) => void} failed
   */
  /** @typedef {{ render(context: { model: StaticModel, el: HTMLElement }): unknown }} FrontEnd */
  /** @typedef {{ path: string[], chunks: number[] }} Buffer */
  /**
   * @typedef {object} Entry
   * @property {string} model_name
   * @property {string} model_module
   * @property {Record<string, any>} state
   * @property {Buffer[]} buffers
   */
  /** @typedef {(...values: any[]) => void} Listener */

  const STATES = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const BOXES = "[data-model]";
  const AHEAD = 600; // how far out of view, in pixels, a widget is made ready

  /** @type {Record<number, string>} */
  const chunks = {};
  /** @type {Map<string, StaticModel>} */
  const models = new Map();
  /** @type {Map<Element, StaticModel>} */
  const waiting = new Map();
  /** @type {Map<string, Expected>} */
  const definitions = new Map();
  /** @type {Map<string, Promise<FrontEnd>>} */
  const frontEnds = new Map();

  /** What a front end sees of a widget: its values, and no kernel behind them. */
  class StaticModel {
    /** @param {Entry} entry */
    constructor(entry) {
      this.name = entry.model_name;
      this.isOwn = entry.model_module === "anywidget";
      this.values = { ...entry.state };
      /** @type {Map<string, Set<Listener>>} */
      this.listeners = new Map();
      for (const buffer of entry.buffers) {
        if (buffer.path.length === 1) this.values[buffer.path[0]] = bytesOf(buffer);
      }
    }

    /** @param {string} key */
    get(key) {
      return this.values[key];
    }

    /** @param {string} key @param {any} value */
    set(key, value) {
      if (JSON.stringify(this.values[key]) === JSON.stringify(value)) return;
      this.values[key] = value;
      this.tell(`change:${key}`);
      this.tell("change");
    }

    /** @param {string} event @param {Listener} listener */
    on(event, listener) {
      const known = this.listeners.get(event) ?? new Set();
      this.listeners.set(event, known.add(listener));
    }

    /** @param {string} event @param {Listener} listener */
    off(event, listener) {
      this.listeners.get(event)?.delete(listener);
    }

    /** @param {string} event */
    tell(event) {
      for (const listener of [...(this.listeners.get(event) ?? [])]) listener(this);
    }

    save_changes() {}

    send() {}
  }

  /** @param {Buffer} buffer */
  function bytesOf(buffer) {
    const texts = buffer.chunks.map((number) => atob(chunks[number]));
    const bytes = new Uint8Array(texts.reduce((total, text) => total + text.length, 0));
    let at = 0;
    for (const text of texts) {
      for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    }
    return new DataView(bytes.buffer);
  }

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag @param {string} className @param {string} [text]
   */
  function create(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  /** Expect the definition of a class, or find it. @param {string} name @returns {Expected} */
  function definitionOf(name) {
    const known = definitions.get(name) ?? /** @type {Expected} */ ({});
    known.coming ??= new Promise((came, failed) => Object.assign(known, { came, failed }));
    definitions.set(name, known);
    return known;
  }

  /** @param {string} name @returns {Promise<FrontEnd>} */
  function frontEndOf(name) {
    const known = frontEnds.get(name) ?? loadFrontEnd(name);
    frontEnds.set(name, known);
    return known;
  }

  /** @param {string} name @returns {Promise<FrontEnd>} */
  async function loadFrontEnd(name) {
    const { style, make } = await definitionOf(name).coming;
    document.head.append(create("style", "", style));
    return make();
  }

  /** @param {StaticModel} model */
  function classOf(model) {
    return String(model.get("_anywidget_id")).split(".").pop() ?? "";
  }

  /** @param {StaticModel} model @param {HTMLElement} box */
  async function render(model, box) {
    const name = classOf(model);
    const definition = await definitionOf(name).coming;
    if (definition.version !== model.get("format_version")) {
      throw new Error("it was stored by another version of the package; execute its notebook again");
    }
    const frontEnd = await frontEndOf(name);
    box.replaceChildren();
    await frontEnd.render({ model, el: box });
  }

  /** @param {StaticModel} model @param {HTMLElement} box */
  async function show(model, box) {
    try {
      await render(model, box);
    } catch (error) {
      console.error(error);
      const reason = error instanceof Error ? error.message : String(error);
      const failure = create("p", "lenet-static-failure", `This widget cannot be shown: ${reason}.`);
      failure.setAttribute("role", "alert");
      box.replaceChildren(failure);
    }
    box.removeAttribute("aria-busy");
  }

  /** @param {string} html */
  function textOf(html) {
    return new DOMParser().parseFromString(html, "text/html").body.textContent ?? "";
  }

  /** @param {any} output */
  function lastOutput(output) {
    const picture = output.data?.["image/png"];
    if (picture) {
      const image = create("img", "");
      image.src = `data:image/png;base64,${picture}`;
      image.alt = [output.data["text/plain"] ?? "output"].flat().join("");
      return image;
    }
    return create("pre", "", [output.text ?? output.data?.["text/plain"] ?? ""].flat().join(""));
  }

  /**
   * Describe what a control of ipywidgets showed when the page was made.
   *
   * @param {StaticModel} model @returns {HTMLElement}
   */
  function lastState(model) {
    const box = create("div", "");
    const children = (model.get("children") ?? []).map((/** @type {string} */ reference) =>
      models.get(reference.replace("IPY_MODEL_", "")),
    );
    const parts = children.filter(Boolean).map(lastState);
    const outputs = (model.get("outputs") ?? []).map(lastOutput);
    box.append(...parts, ...outputs);
    const value = model.get("value") ?? model.get("_options_labels")?.[model.get("index")];
    if (value !== undefined && value !== null) {
      const name = textOf(model.get("description") ?? "");
      box.append(create("p", "", [name, textOf(String(value))].filter(Boolean).join(": ")));
    }
    return box;
  }

  /** @param {StaticModel} model @param {HTMLElement} box */
  function showLastState(model, box) {
    const note = "These controls need a running Python kernel. Here is what they showed last.";
    const frame = create("div", "lenet-static-control");
    frame.append(create("p", "", note), lastState(model));
    box.replaceChildren(frame);
  }

  const whenIdle = window.requestIdleCallback ?? setTimeout; // Safari has no such callback

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) fill(target);
    },
    { rootMargin: `${AHEAD}px 0px` },
  );

  /** @param {Element} box */
  async function fill(box) {
    const model = waiting.get(box);
    waiting.delete(box);
    observer.unobserve(box);
    if (model) await show(model, /** @type {HTMLElement} */ (box));
  }

  /** Show a widget at once if its box is near, or the address names it, and otherwise later. @param {HTMLElement} box */
  function begin(box) {
    const model = models.get(box.dataset.model ?? "");
    box.removeAttribute("data-model");
    if (!model) return;
    if (!model.isOwn) return showLastState(model, box);
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
      for (const [id, entry] of Object.entries(part.state)) models.set(id, new StaticModel(entry));
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
    for (const [name, { failed }] of definitions) failed(new Error(`this page has no widget called ${name}`));
    for (const model of waiting.values()) frontEndOf(classOf(model)).catch(() => {}); // printing waits for none
    continueWhenIdle();
  });
  addEventListener("beforeprint", () => [...waiting.keys()].forEach(fill));
  Object.assign(window, {
    lenetWidgets: {
      mount,
      /** @param {string} name @param {Definition} definition */
      define: (name, definition) => definitionOf(name).came(definition),
    },
  });
})();
