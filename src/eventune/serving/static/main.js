// The page: what is pasted goes to the server, what comes back is shown, corrected, saved and exported.

import { Refused, ask, useToken } from "./api.js";
import { showBeside } from "./beside.js";
import { Editing } from "./editing.js";
import { Marking } from "./marking.js";
import { colourOf, make, showEvents, showTools } from "./panel.js";
import { choose, say } from "./words.js";

const at = (id) => document.getElementById(id);
const state = { models: [], editing: null, beside: null, threshold: 0, lastType: "", list: { can_save: false, documents: [] } };
const turns = { open: 0, again: 0, compare: 0 };
const marking = new Marking(at("marked"), at("lines"), () => { showEventList(); showToolbar(); }, render);

const model = () => state.models.find((each) => each.id === at("model").value) ?? state.models[0];
const ontology = () => model().ontology;
const rolesOf = (type) => Object.keys(ontology().types[type]?.roles ?? {});

function tell(text, isBad = false) {
  at("status").textContent = text;
  at("status").className = isBad ? "status bad" : "status";
}

// `request` changes nothing in the page; its answer is shown only while it is wanted.
async function attempt(request, show, isWanted = () => true) {
  tell(say("working"));
  try {
    const answer = await request();
    if (isWanted()) tell(show(answer) ?? "");
  } catch (error) {
    if (!(error instanceof Refused)) {
      tell(String(error), true);
      throw error;
    }
    if (!isWanted()) return;
    if (error.status === 401) at("token-form").hidden = false;
    tell(error.message, true);
  }
}

// Of requests of a kind the last is wanted, while the document is there that it is about and no other one was asked for.
function asking(kind) {
  const { editing } = state;
  turns[kind] += 1;
  const { [kind]: turn, open: opening } = turns;
  return () => state.editing === editing && turns[kind] === turn && turns.open === opening;
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

const mayLeave = () => !state.editing?.isUnsaved || confirm(say("unsaved"));

// Opens the document that `request` gives. Who has unsaved corrections is asked first, and again about those that came meanwhile.
function leaveFor(request) {
  if (!mayLeave()) return;
  const left = state.editing?.written;
  attempt(request, (record) => (state.editing?.written === left || mayLeave() ? open(record) : ""), asking("open"));
}

function open(record) {
  state.editing = new Editing(record, state.threshold);
  state.beside = null;
  marking.editing = state.editing;
  Object.assign(marking, { anchor: 0, cursor: 0, hasSelection: false });
  render();
  return record.events.length ? "" : say(model().detects ? "none" : "mark");
}

async function extract(record, by) {
  const answer = await ask("POST", "v1/extract", { model: by, documents: [record] });
  return answer.documents[0];
}

async function find() {
  const { id, detects } = model();
  const { document: record } = await ask("POST", "v1/document", { text: at("input").value });
  return record.events.length || detects ? extract(record, id) : record;
}

async function documentOf(id) {
  const { document: record } = await ask("GET", `v1/annotations/document?id=${encodeURIComponent(id)}`);
  return record;
}

function findAgain() {
  const { editing } = state;
  const question = { ...editing.record, events: editing.events.map(plain) };
  return attempt(() => extract(question, model().id), ({ events }) => edit(() => editing.replaceEvents(events)), asking("again"));
}

// Both runs are asked the same: to find events where both do, else the arguments of those that are there.
function compare() {
  const names = [model().id, at("other").value];
  const all = state.models.filter((each) => names.includes(each.id)).every((each) => each.detects);
  const question = { ...state.editing.record, events: all ? [] : state.editing.events.map(plain) };
  return attempt(() => Promise.all(names.map((name) => extract(question, name))), (records) => {
    state.beside = { names, records };
    renderBeside();
    at("beside").scrollIntoView({ block: "nearest" });
  }, asking("compare"));
}

// An event as a question: where its trigger stands is said by its tokens alone, and how probable it is by its attributes.
function plain({ type, trigger, id = "", attributes = {} }) {
  return { type, trigger, id, attributes };
}

function save() {
  const { editing } = state;
  const { written } = editing;
  return attempt(() => ask("PUT", "v1/annotations", { document: editing.kept() }), (list) => {
    editing.saved = written;
    state.list = list;
    showDocuments();
    return say("saved");
  });
}

function download(format) {
  const { editing } = state;
  const { written } = editing;
  return attempt(() => ask("POST", "v1/export", { documents: [editing.kept()], format }), ({ files }) => {
    editing.saved = written;
    for (const { name, content } of files) {
      const link = make("a", { href: URL.createObjectURL(new Blob([content], { type: "text/plain" })), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }
  });
}

function read(file) {
  if (!file.name.toLowerCase().endsWith(".txt")) {
    tell(say("notText", file.name), true);
    return;
  }
  attempt(() => file.text(), (text) => { at("input").value = text; });
}

function showDocuments() {
  const { documents } = state.list;
  at("work").hidden = !documents.length;
  at("progress").textContent = say("progress", documents.filter((each) => each.is_saved).length, documents.length);
  at("documents").replaceChildren(...documents.map(({ id, is_saved }) => {
    const button = make("button", { textContent: id, className: is_saved ? "done" : "" });
    button.addEventListener("click", () => leaveFor(() => documentOf(id)));
    return make("li", {}, button);
  }));
}

function connect() {
  return attempt(() => Promise.all(["models", "annotations", "comparisons"].map((name) => ask("GET", `v1/${name}`))), showServer);
}

function showServer([models, list, comparisons]) {
  state.models = models.data.filter((each) => !each.chats);
  state.list = list;
  at("token-form").hidden = true;
  at("model").replaceChildren(...state.models.map(({ id }) => make("option", { value: id, textContent: id })));
  showComparisons(comparisons.data);
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
  at("find").addEventListener("click", () => leaveFor(find));
  at("again").addEventListener("click", findAgain);
  at("save").addEventListener("click", save);
  at("compare").addEventListener("click", compare);
  at("undo").addEventListener("click", () => edit(() => state.editing.undo()));
  at("redo").addEventListener("click", () => edit(() => state.editing.redo()));
  for (const button of document.querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => download(button.dataset.format));
  }
  at("threshold").addEventListener("input", (event) => {
    state.threshold = Number(event.target.value) / 100;
    state.editing?.hideBelow(state.threshold);
    at("threshold-value").textContent = `${event.target.value} %`;
    render();
  });
  at("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = ""; // else the same file chosen again is no change
    if (file) read(file);
  });
  at("marked").addEventListener("keydown", type);
  document.addEventListener("keydown", travel);
  at("model").addEventListener("change", () => { showModel(); render(); });
  at("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useToken(at("token").value);
    connect();
  });
  window.addEventListener("beforeunload", (event) => state.editing?.isUnsaved && event.preventDefault());
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
connect();
