// The page: what is pasted goes to the server, what comes back is shown, corrected, saved and exported.

import { Refused, ask, useToken } from "./api.js";
import { showBeside } from "./beside.js";
import { Editing } from "./editing.js";
import { Marking } from "./marking.js";
import { colourOf, make, showEvents, showTools } from "./panel.js";
import { choose, say } from "./words.js";

const at = (id) => document.getElementById(id);
const state = { models: [], editing: null, beside: null, threshold: 0, lastType: "", list: { can_save: false, documents: [] } };
const marking = new Marking(at("marked"), at("lines"), () => { showEventList(); showToolbar(); });

const model = () => state.models.find((each) => each.id === at("model").value) ?? state.models[0];
const ontology = () => model().ontology;
const rolesOf = (type) => Object.keys(ontology().types[type]?.roles ?? {});

function tell(text, isBad = false) {
  at("status").textContent = text;
  at("status").className = isBad ? "status bad" : "status";
}

async function attempt(work) {
  tell(say("working"));
  try {
    tell((await work()) ?? "");
  } catch (error) {
    if (error instanceof Refused && error.status === 401) at("token-form").hidden = false;
    tell(error instanceof Refused ? error.message : say("unreachable"), true);
    if (!(error instanceof Refused || error instanceof TypeError)) throw error;
  }
}

function edit(change) {
  change();
  render();
}

const actions = {
  setType: (number, type) => edit(() => state.editing.setType(number, type, rolesOf(type))),
  removeEvent: (number) => edit(() => state.editing.removeEvent(number)),
  removeArgument: (number, place) => edit(() => state.editing.removeArgument(number, place)),
  pick: (number) => edit(() => { state.editing.current = number; }),
  remember: (type) => { state.lastType = type; },
  addEvent: (type) => edit(() => { state.lastType = type; state.editing.addEvent(type, marking.selection); }),
  moveTrigger: () => edit(() => state.editing.moveTrigger(marking.selection)),
  addArgument: (role) => edit(() => state.editing.addArgument(role, marking.selection)),
};

function render() {
  const editing = state.editing;
  at("bench").hidden = !editing;
  if (!editing) return;
  marking.show(editing, (type, role) => colourOf(ontology(), type, role));
  showEventList();
  showToolbar();
  at("undo").disabled = !editing.past.length;
  at("redo").disabled = !editing.future.length;
  at("save").hidden = !state.list.can_save;
  renderBeside();
}

function renderBeside() {
  at("beside").hidden = !state.beside;
  if (!state.beside) return;
  const { names, records } = state.beside;
  at("differences").textContent = say("differences", showBeside(at("pairs"), state.editing, names, records));
}

function showEventList() {
  const count = showEvents(at("events"), state.editing, ontology(), actions);
  at("count").textContent = say("shown", count);
}

function showToolbar() {
  state.lastType ||= Object.keys(ontology().types)[0];
  showTools(at("tools"), state.editing, marking.selection, ontology(), state.lastType, actions);
}

function open(record) {
  state.editing = new Editing(record, state.threshold);
  state.beside = null;
  marking.editing = state.editing;
  Object.assign(marking, { anchor: 0, cursor: 0, hasSelection: false });
  render();
  return record.events.length ? "" : say(model().detects ? "none" : "mark");
}

async function extract(content, by = model().id) {
  const answer = await ask("POST", "v1/extract", { model: by, ...content });
  return answer.documents[0];
}

async function find() {
  const text = at("input").value;
  const { document: record } = await ask("POST", "v1/document", { text });
  if (!record.events.length && !model().detects) return open(record);
  return open(await extract({ documents: [record] }));
}

async function findAgain() {
  const found = await extract({ documents: [{ ...state.editing.record, events: state.editing.events.map(plain) }] });
  edit(() => state.editing.replaceEvents(found.events));
}

// Both runs are asked the same: to find events where both do, else the arguments of those that are there.
async function compare() {
  const names = [model().id, at("other").value];
  const all = state.models.filter((each) => names.includes(each.id)).every((each) => each.detects);
  const question = { ...state.editing.record, events: all ? [] : state.editing.events.map(plain) };
  const records = await Promise.all(names.map((name) => extract({ documents: [question] }, name)));
  state.beside = { names, records };
  renderBeside();
  at("beside").scrollIntoView({ block: "nearest" });
}

// An event as a question: where its trigger stands is said by its tokens alone, and how probable it is by its attributes.
function plain({ type, trigger, id = "", attributes = {} }) {
  return { type, trigger, id, attributes };
}

function kept() {
  return state.editing.kept();
}

async function save() {
  state.list = await ask("PUT", "v1/annotations", { document: kept() });
  showDocuments();
  return say("saved");
}

async function download(format) {
  const { files } = await ask("POST", "v1/export", { documents: [kept()], format });
  for (const { name, content } of files) {
    const link = make("a", { href: URL.createObjectURL(new Blob([content], { type: "text/plain" })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}

function showDocuments() {
  const { documents } = state.list;
  at("work").hidden = !documents.length;
  at("progress").textContent = say("progress", documents.filter((each) => each.is_saved).length, documents.length);
  at("documents").replaceChildren(...documents.map(({ id, is_saved }) => {
    const button = make("button", { textContent: id, className: is_saved ? "done" : "" });
    button.addEventListener("click", () => attempt(async () => open((await ask("GET", `v1/annotations/document?id=${encodeURIComponent(id)}`)).document)));
    return make("li", {}, button);
  }));
}

async function connect() {
  state.models = (await ask("GET", "v1/models")).data.filter((each) => !each.chats);
  state.list = await ask("GET", "v1/annotations");
  at("token-form").hidden = true;
  at("model").replaceChildren(...state.models.map(({ id }) => make("option", { value: id, textContent: id })));
  showComparisons((await ask("GET", "v1/comparisons")).data);
  at("find").disabled = !state.models.length;
  if (!state.models.length) throw new Refused(404, say("noRuns"));
  showModel();
  showDocuments();
}

function showComparisons(pages) {
  at("comparisons").hidden = !pages.length;
  at("comparison-list").replaceChildren(...pages.map(({ id, path }) => (
    make("li", {}, make("a", { href: path, textContent: id, target: "_blank", rel: "noopener" }))
  )));
}

function showModel() {
  const others = state.models.filter((each) => each !== model());
  at("beside-tools").hidden = !others.length;
  at("other").replaceChildren(...others.map(({ id }) => make("option", { value: id, textContent: id })));
  at("advice").textContent = model().detects ? "" : say("advice");
  state.lastType = "";
}

const KEYS = {
  ArrowLeft: (event) => marking.select(event.shiftKey ? marking.anchor : marking.cursor - 1, marking.cursor - 1),
  ArrowRight: (event) => marking.select(event.shiftKey ? marking.anchor : marking.cursor + 1, marking.cursor + 1),
  "[": () => edit(() => state.editing.step(-1)),
  "]": () => edit(() => state.editing.step(1)),
  t: () => marking.selection && actions.addEvent(state.lastType),
  m: () => marking.selection && state.editing.event && actions.moveTrigger(),
  Delete: () => edit(() => state.editing.removeAt(marking.cursor)),
  Backspace: () => edit(() => state.editing.removeAt(marking.cursor)),
};

function type(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const role = /^[1-9]$/.test(event.key) && state.editing.event && rolesOf(state.editing.event.type)[Number(event.key) - 1];
  const handle = role && marking.selection ? () => actions.addArgument(role) : KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!handle) return;
  event.preventDefault();
  handle(event);
}

function travel(event) {
  const isText = event.target.matches("textarea, input");
  if (!(event.ctrlKey || event.metaKey) || isText || !state.editing) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  edit(() => (key === "y" || event.shiftKey ? state.editing.redo() : state.editing.undo()));
}

function listen() {
  at("find").addEventListener("click", () => attempt(find));
  at("again").addEventListener("click", () => attempt(findAgain));
  at("save").addEventListener("click", () => attempt(save));
  at("compare").addEventListener("click", () => attempt(compare));
  at("undo").addEventListener("click", () => edit(() => state.editing.undo()));
  at("redo").addEventListener("click", () => edit(() => state.editing.redo()));
  for (const button of document.querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => attempt(() => download(button.dataset.format)));
  }
  at("threshold").addEventListener("input", (event) => {
    state.threshold = Number(event.target.value) / 100;
    state.editing?.hideBelow(state.threshold);
    at("threshold-value").textContent = `${event.target.value} %`;
    render();
  });
  at("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) at("input").value = await file.text();
  });
  at("marked").addEventListener("keydown", type);
  document.addEventListener("keydown", travel);
  at("model").addEventListener("change", () => { showModel(); render(); });
  at("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useToken(at("token").value);
    attempt(connect);
  });
  at("theme").addEventListener("change", (event) => setTheme(event.target.value));
  at("language").addEventListener("change", (event) => setLanguage(event.target.value));
}

function setTheme(theme) {
  localStorage.setItem("eventune-theme", theme);
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  at("theme").value = theme;
}

function setLanguage(language) {
  localStorage.setItem("eventune-language", language);
  at("language").value = language;
  choose(language);
  if (!state.models.length) return;
  at("advice").textContent = model().detects ? "" : say("advice");
  showDocuments();
  render();
}

setTheme(localStorage.getItem("eventune-theme") ?? "");
setLanguage(localStorage.getItem("eventune-language") ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
listen();
attempt(connect);
