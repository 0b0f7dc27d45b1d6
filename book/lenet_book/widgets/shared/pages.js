// @ts-check
/**
 * Shows the widgets of a page that has no kernel.
 *
 * The page holds the states of its widgets in one script element and, where each is to appear, a
 * script element with its id. The front end of a class comes from the file `<class>.js` beside this
 * one, fetched when a widget of the class is about to come into view, or from the page itself.
 */
(() => {
  "use strict";

  /**
   * @typedef {object} Definition
   * @property {number} version
   * @property {string} script
   * @property {string} style
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
  const VIEWS = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const AHEAD = "600px 0px"; // how far out of view a widget is made ready

  const here = /** @type {HTMLScriptElement} */ (document.currentScript).src;

  /** @type {Map<string, Definition>} */
  const definitions = new Map();
  /** @type {Map<string, Promise<FrontEnd>>} */
  const frontEnds = new Map();

  /** What a front end sees of a widget: its values, and no kernel behind them. */
  class StaticModel {
    /** @param {Entry} entry @param {string[]} chunks */
    constructor(entry, chunks) {
      this.name = entry.model_name;
      this.isOwn = entry.model_module === "anywidget";
      this.values = { ...entry.state };
      /** @type {Map<string, Set<Listener>>} */
      this.listeners = new Map();
      for (const buffer of entry.buffers) {
        if (buffer.path.length === 1) this.values[buffer.path[0]] = bytesOf(buffer, chunks);
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

  /** @param {Buffer} buffer @param {string[]} chunks */
  function bytesOf(buffer, chunks) {
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

  /** @param {string} name @returns {Promise<Definition>} */
  function definitionOf(name) {
    const known = definitions.get(name);
    if (known) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(`${name}.js`, here).href;
      script.onerror = () => reject(new Error(`this page has no widget called ${name}`));
      script.onload = () => resolve(/** @type {Definition} */ (definitions.get(name)));
      document.head.append(script);
    });
  }

  /** @param {Definition} definition @returns {Promise<FrontEnd>} */
  async function frontEndOf(definition) {
    const style = create("style", "", definition.style);
    document.head.append(style);
    const module = new Blob([definition.script], { type: "text/javascript" });
    const address = URL.createObjectURL(module); // pages on disk cannot import modules from files
    try {
      return (await import(address)).default;
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  /** @param {StaticModel} model */
  function classOf(model) {
    return String(model.get("_anywidget_id")).split(".").pop() ?? "";
  }

  /** @param {StaticModel} model @param {HTMLElement} box */
  async function mount(model, box) {
    const name = classOf(model);
    const definition = await definitionOf(name);
    if (definition.version !== model.get("format_version")) {
      throw new Error("it was stored by another version of the package; execute its notebook again");
    }
    const loading = frontEnds.get(name) ?? frontEndOf(definition);
    frontEnds.set(name, loading);
    const frontEnd = await loading;
    await frontEnd.render({ model, el: box });
  }

  /** @param {StaticModel} model @param {HTMLElement} box */
  async function show(model, box) {
    try {
      await mount(model, box);
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
   * @param {StaticModel} model @param {Map<string, StaticModel>} models @returns {HTMLElement}
   */
  function lastState(model, models) {
    const box = create("div", "");
    const children = (model.get("children") ?? []).map((/** @type {string} */ reference) =>
      models.get(reference.replace("IPY_MODEL_", "")),
    );
    const parts = children.filter(Boolean).map((/** @type {StaticModel} */ m) => lastState(m, models));
    const outputs = (model.get("outputs") ?? []).map(lastOutput);
    box.append(...parts, ...outputs);
    const value = model.get("value") ?? model.get("_options_labels")?.[model.get("index")];
    if (value !== undefined && value !== null) {
      const name = textOf(model.get("description") ?? "");
      box.append(create("p", "", [name, textOf(String(value))].filter(Boolean).join(": ")));
    }
    return box;
  }

  /** @param {StaticModel} model @param {Map<string, StaticModel>} models @param {HTMLElement} box */
  function showLastState(model, models, box) {
    const note = "These controls need a running Python kernel. Here is what they showed last.";
    const frame = create("div", "lenet-static-control");
    frame.append(create("p", "", note), lastState(model, models));
    box.append(frame);
  }

  /** @returns {Map<string, StaticModel>} */
  function readModels() {
    /** @type {Map<string, StaticModel>} */
    const models = new Map();
    for (const script of document.querySelectorAll(STATES)) {
      const { state, chunks } = JSON.parse(script.textContent ?? "");
      for (const [id, entry] of Object.entries(state)) models.set(id, new StaticModel(entry, chunks));
    }
    return models;
  }

  /** Make a box for each widget; fill it when it comes near, or when the address names it. */
  function start() {
    const models = readModels();
    /** @type {Map<Element, () => Promise<void>>} */
    const waiting = new Map();
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) if (isIntersecting) fill(target);
      },
      { rootMargin: AHEAD },
    );
    /** @param {Element} box */
    async function fill(box) {
      observer.unobserve(box);
      const showing = waiting.get(box);
      waiting.delete(box);
      await showing?.();
    }

    for (const view of document.querySelectorAll(VIEWS)) {
      const model = models.get(JSON.parse(view.textContent ?? "").model_id);
      if (!model) continue;
      const box = create("div", "lenet-static");
      view.before(box);
      if (!model.isOwn) {
        showLastState(model, models, box);
        continue;
      }
      const name = classOf(model);
      box.id = `${name}-${document.querySelectorAll(`[id^="${name}-"]`).length + 1}`;
      box.setAttribute("aria-busy", "true");
      waiting.set(box, () => show(model, box));
      observer.observe(box);
      if (location.hash.split(":")[0] === `#${box.id}`) {
        fill(box).then(() => box.scrollIntoView());
      }
    }
  }

  Object.assign(window, {
    lenetWidgets: {
      /** @param {string} name @param {Definition} definition */
      define: (name, definition) => definitions.set(name, definition),
    },
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
