// What the page's scripts ask of a browser, as far as they need it, and a server whose answers come when a test says so.

import { readFileSync } from "node:fs";

const FOLDER = process.env.PAGE;
const HTML = readFileSync(`${FOLDER}/index.html`, "utf-8");

class Element {
  constructor(tag) {
    Object.assign(this, { tag, children: [], dataset: {}, attributes: {}, listeners: {}, className: "", value: "", hidden: false, disabled: false });
    this.classList = { add: () => {}, remove: () => {} };
  }

  get textContent() {
    return this.children.map((child) => child.textContent ?? child).join("");
  }

  set textContent(text) {
    this.children = [text];
  }

  append(...children) {
    this.children.push(...children);
    if (this.tag !== "select" || !children.length) return;
    this.value = (this.children.find((option) => option.selected) ?? this.children[0]).value;
  }

  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }

  all(test) {
    return this.children.flatMap((child) => (child instanceof Element ? [...(test(child) ? [child] : []), ...child.all(test)] : []));
  }

  querySelector(selector) {
    const [, token] = selector.match(/^\[data-token="(\d+)"\]$/);
    return this.all((each) => String(each.dataset.token) === token)[0];
  }

  querySelectorAll() {
    return [];
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  addEventListener(type, listener) {
    (this.listeners[type] ??= []).push(listener);
  }

  fire(type, properties = {}) {
    const event = { target: this, preventDefault() { this.isPrevented = true; }, ...properties };
    for (const listener of this.listeners[type] ?? []) listener(event);
    return event;
  }

  click() {
    this.fire("click");
  }

  matches() {
    return false;
  }

  scrollIntoView() {}

  getBoundingClientRect() {
    return { left: 0, top: 0, bottom: 0, width: 0 };
  }
}

export const MODELS = ["first", "second"].map((id) => (
  { id, detects: true, ontology: { types: { attack: { roles: { attacker: {}, target: {} } }, arrest: { roles: { suspect: {} } } } } }
));

// A document of the words, with events as [type, trigger, score, [role, place, score] …].
export function recordOf(id, words, ...events) {
  let end = -1;
  const tokens = words.map((word) => [end + 1, (end += 1 + word.length)]);
  return {
    id, text: words.join(" "), tokens,
    events: events.map(([type, at, score, ...found]) => ({
      type, trigger: [at, at + 1], attributes: { score }, arguments: found.map(([role, place, sure]) => ({ role, span: [place, place + 1], score: sure })),
    })),
  };
}

let opened = 0;

// Opens the page; `answers` holds what the server says at once, by method and path, and all else waits in `asked`.
export async function openPage(documents = [], language = "en") {
  const elements = {};
  for (const [, tag, id] of HTML.matchAll(/<(\w+)[^>]*? id="([\w-]+)"/g)) elements[id] = new Element(tag);
  const formats = ["jsonl", "brat"].map((format) => Object.assign(new Element("button"), { dataset: { format } }));
  const asked = [];
  const questions = [];
  const page = { at: (id) => elements[id], asked, questions, agrees: false, formats, window: new Element("window") };
  const root = new Element("html");
  Object.assign(globalThis, {
    document: Object.assign(new Element("document"), {
      documentElement: root,
      getElementById: (id) => elements[id],
      createElement: (tag) => new Element(tag),
      createElementNS: (_, tag) => new Element(tag),
      querySelectorAll: (selector) => (selector === "[data-format]" ? formats : []),
    }),
    window: page.window,
    addEventListener: (...given) => page.window.addEventListener(...given),
    confirm: (question) => questions.push(question) && page.agrees,
    ResizeObserver: class { observe() {} },
    localStorage: { getItem: (name) => (name === "eventune-language" ? language : null), setItem() {} },
    sessionStorage: { getItem: () => null },
    fetch: (path, { method, body }) => new Promise((resolve, reject) => {
      const answer = (content, status = 200) => {
        resolve({ ok: status === 200, status, statusText: "", json: async () => structuredClone(content) });
        return settled();
      };
      const lose = () => { reject(new TypeError("fetch failed")); return settled(); };
      asked.push({ name: `${method} ${path}`, content: body && JSON.parse(body), answer, lose });
    }),
  });
  await import(`${FOLDER}/main.js?${opened += 1}`);
  await next(page, "GET v1/models").answer({ data: MODELS });
  await next(page, "GET v1/annotations").answer({ can_save: true, documents: documents.map((id) => ({ id, is_saved: false })) });
  await next(page, "GET v1/comparisons").answer({ data: [] });
  return page;
}

// The oldest request of this name that is not taken yet.
export function next({ asked }, name) {
  const place = asked.findIndex((each) => each.name.startsWith(name));
  if (place < 0) throw new Error(`expected a request ${name}, found ${asked.map((each) => each.name)}`);
  return asked.splice(place, 1)[0];
}

export function settled() {
  return new Promise((resolve) => { setTimeout(resolve, 1); });
}

export function choose(page, number) {
  page.at("documents").all((each) => each.tag === "button")[number].click();
  return settled();
}

export async function openDocument(page, number, record) {
  await choose(page, number);
  await next(page, "GET v1/annotations/document").answer({ document: record });
}

export function press(page, key) {
  page.at("marked").fire("keydown", { key });
}

export const cards = (page) => page.at("events").all((each) => each.tag === "article").map((card) => card.all((each) => each.tag === "b")[0].textContent);
