// The list of events beside the text, and the tools for what is selected.

import { say } from "./words.js";

export function make(tag, properties = {}, ...children) {
  const { data, aria, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(data ?? {})) if (value) element.dataset[name] = value;
  for (const [name, value] of Object.entries(aria ?? {})) element.setAttribute(`aria-${name}`, value);
  element.append(...children);
  return element;
}

export function score(value) {
  if (value === undefined || value === null) return make("span", { className: "score" }, say("byHand"));
  const percent = Math.round(100 * value);
  const label = say("confidence", percent);
  return make("span", { className: "score" }, make("meter", { value, title: label, aria: { label } }), `${percent} %`);
}

export function showEvents(element, editing, ontology, actions) {
  const cards = editing.shown.map((number) => card(editing, editing.events[number], number, ontology, actions));
  element.replaceChildren(...(cards.length ? cards : [make("p", { className: "soft" }, say("none"))]));
  return cards.length;
}

function card(editing, event, number, ontology, actions) {
  const words = event.trigger ? editing.words(event.trigger) : say("noTrigger");
  const types = typeChoice(ontology, event.type);
  types.addEventListener("change", () => actions.setType(number, types.value));
  types.setAttribute("aria-label", `${say("type")}: ${words}`);
  const remove = make("button", { className: "remove", textContent: "✕", title: say("remove"), aria: { label: `${say("remove")}: ${words}` } });
  remove.addEventListener("click", () => actions.removeEvent(number));
  const pick = make("button", { aria: { pressed: String(number === editing.current) } }, make("b", {}, words));
  pick.addEventListener("click", () => actions.pick(number));
  const list = make("ul", { className: "arguments" });
  event.arguments.forEach((argument, place) => {
    if (editing.showsArgument(argument)) list.append(line(editing, event, number, argument, place, ontology, actions));
  });
  const detected = event.attributes?.score;
  const isCurrent = number === editing.current;
  return make("article", { className: isCurrent ? "event current" : "event" },
    make("div", { className: "row" }, pick, types, detected === undefined ? "" : score(detected), remove), list);
}

function line(editing, event, number, argument, place, ontology, actions) {
  const words = editing.words(argument.span);
  const remove = make("button", { className: "remove", textContent: "✕", title: say("remove"), aria: { label: `${say("remove")}: ${argument.role} ${words}` } });
  remove.addEventListener("click", () => actions.removeArgument(number, place));
  return make("li", {}, roleName(ontology, event.type, argument.role), make("bdi", {}, words), score(argument.score), remove);
}

function roleName(ontology, type, role) {
  const known = ontology.types[type]?.roles[role] ?? {};
  const description = known.description || known.question || "";
  return make("span", {
    className: `role ${colourOf(ontology, type, role)}`, textContent: role, tabIndex: 0,
    data: { description }, aria: { label: description ? `${role}: ${description}` : role },
  });
}

export function colourOf(ontology, type, role) {
  const place = Object.keys(ontology.types[type]?.roles ?? {}).indexOf(role);
  return `c${Math.max(0, place) % 8}`;
}

export function typeChoice(ontology, chosen) {
  const names = Object.keys(ontology.types);
  if (chosen && !names.includes(chosen)) names.push(chosen);
  return make("select", {}, ...names.map((name) => make("option", {
    value: name, textContent: name, selected: name === chosen, title: ontology.types[name]?.description ?? "",
  })));
}

export function showTools(element, editing, selection, ontology, lastType, actions) {
  if (!selection) {
    element.replaceChildren(make("span", { className: "soft" }, say("selectFirst")));
    return;
  }
  const types = typeChoice(ontology, lastType);
  types.setAttribute("aria-label", say("type"));
  types.addEventListener("change", () => actions.remember(types.value));
  const add = make("button", { textContent: say("newEvent") });
  add.addEventListener("click", () => actions.addEvent(types.value));
  const tools = [make("span", {}, say("selection", editing.words(selection))), types, add];
  if (editing.event) {
    const move = make("button", { textContent: say("moveTrigger") });
    move.addEventListener("click", actions.moveTrigger);
    tools.push(move);
    for (const [place, role] of Object.keys(ontology.types[editing.event.type]?.roles ?? {}).entries()) {
      const button = make("button", { className: colourOf(ontology, editing.event.type, role), textContent: place < 9 ? `${place + 1} ${role}` : role });
      button.addEventListener("click", () => actions.addArgument(role));
      tools.push(button);
    }
  }
  element.replaceChildren(...tools);
}
