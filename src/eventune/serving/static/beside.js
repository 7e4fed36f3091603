// What two runs find in one document, side by side, and where they differ.

import { make, score } from "./panel.js";
import { say } from "./words.js";

// Pairs of what both found, and what only one did: [one, other, difference], either may be missing.
export function compared(one, other) {
  const placeOf = (event) => (event.trigger ?? []).join();
  return paired(one, other, placeOf, (event) => event.type, "otherType").sort((a, b) => startOf(a) - startOf(b));
}

export function comparedArguments(one, other) {
  return paired(one?.arguments ?? [], other?.arguments ?? [], (argument) => argument.span.join(), (argument) => argument.role, "otherRole");
}

function paired(one, other, placeOf, nameOf, otherwise) {
  const left = [...other];
  const take = (test) => {
    const place = left.findIndex(test);
    return place < 0 ? undefined : left.splice(place, 1)[0];
  };
  // Those that agree are paired first: at one place may stand several.
  const pairs = one.map((each) => [each, take((found) => placeOf(found) === placeOf(each) && nameOf(found) === nameOf(each))]);
  for (const pair of pairs) pair[1] ??= take((found) => placeOf(found) && placeOf(found) === placeOf(pair[0]));
  return [...pairs, ...left.map((each) => [undefined, each])].map(([first, second]) => {
    if (!first || !second) return [first, second, "onlyHere"];
    return [first, second, nameOf(first) === nameOf(second) ? undefined : otherwise];
  });
}

// How many events and arguments differ.
export function countDifferences(rows) {
  return rows.reduce((sum, [one, other, difference]) => (
    sum + (difference ? 1 : 0) + (one && other ? comparedArguments(one, other).filter(([, , differs]) => differs).length : 0)
  ), 0);
}

export function showBeside(element, editing, names, records) {
  const [one, other] = records.map((record) => record.events.filter((event) => editing.shows(event)).map((event) => (
    { ...event, arguments: event.arguments.filter((argument) => editing.showsArgument(argument)) }
  )));
  const rows = compared(one, other);
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col", textContent: name })));
  const lines = rows.map(([first, second, difference]) => {
    const pairs = comparedArguments(first, second);
    return make("tr", {},
      cell(editing, first, difference, pairs.map(([argument, , differs]) => [argument, differs])),
      cell(editing, second, difference, pairs.map(([, argument, differs]) => [argument, differs])));
  });
  const empty = make("tr", {}, make("td", { colSpan: 2, className: "soft", textContent: say("none") }));
  element.replaceChildren(make("thead", {}, head), make("tbody", {}, ...(lines.length ? lines : [empty])));
  return countDifferences(rows);
}

function cell(editing, event, difference, found) {
  if (!event) return make("td", {}, make("span", { className: "soft", textContent: "–", aria: { label: say("nothing") } }));
  const words = event.trigger ? editing.words(event.trigger) : say("noTrigger");
  const list = make("ul", { className: "arguments" });
  for (const [argument, differs] of found) {
    if (!argument) continue;
    // Of an event that only one run has, the arguments are no differences of their own.
    const mark = difference === "onlyHere" ? undefined : differs;
    list.append(make("li", { className: mark ? "differs" : "" }, make("b", { textContent: argument.role }), make("bdi", {}, editing.words(argument.span)),
      score(argument.score), badge(mark)));
  }
  return make("td", { className: difference ? "differs" : "" },
    make("p", { className: "row" }, make("b", {}, words), make("span", { textContent: event.type }), badge(difference)), list);
}

function badge(difference) {
  return difference ? make("span", { className: "tag", textContent: say(difference) }) : "";
}

function startOf([one, other]) {
  return (one ?? other).trigger?.[0] ?? -1;
}
