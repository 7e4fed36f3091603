import assert from "node:assert/strict";
import { test } from "node:test";

import { recordOf } from "./standin.mjs";

const { Editing } = await import(`${process.env.PAGE}/editing.js`);

const editingOf = (threshold = 0.5) => new Editing(
  recordOf("a", ["Gunmen", "shot", "soldiers", "police", "held", "them", "fled"],
    ["attack", 1, 0.3, ["target", 2, 0.9]],
    ["arrest", 4, 0.9, ["suspect", 5, 0.2], ["suspect", 3, 0.8]],
    ["attack", 6, 0.4],
    ["attack", 0, 0.7]),
  threshold,
);

test("the chosen event is one that is shown", () => {
  assert.equal(editingOf(0).current, 0);
  assert.equal(editingOf().current, 1);
  const editing = editingOf(0);
  editing.hideBelow(0.5);
  assert.equal(editing.current, 1);
});

test("where no event is shown none is chosen, and one is again as soon as it is shown", () => {
  const editing = editingOf(1);
  assert.equal(editing.event, undefined);
  editing.step(1);
  assert.equal(editing.event, undefined);
  editing.hideBelow(0.8);
  assert.equal(editing.current, 1);
});

test("steps go over what is hidden and end at the first and the last event that is shown", () => {
  const editing = editingOf();
  const places = [1, 1, -1, -1].map((by) => { editing.step(by); return editing.current; });
  assert.deepEqual(places, [3, 3, 1, 1]);
});

test("nothing that is hidden is removed at a token", () => {
  const editing = editingOf();
  for (const token of [1, 2, 5, 6]) editing.removeAt(token);
  assert.equal(editing.past.length, 0);
  editing.removeAt(3);
  assert.deepEqual(editing.events[1].arguments.map((argument) => argument.span), [[5, 6]]);
  editing.removeAt(4);
  assert.equal(editing.events.length, 3);
  assert.equal(editing.current, 2);
});

test("an undone change leaves an event chosen that is shown", () => {
  const editing = editingOf(0);
  editing.removeEvent(3);
  editing.hideBelow(0.5);
  editing.undo();
  assert.equal(editing.current, 1);
});

test("what is kept is what is shown", () => {
  const { events } = editingOf().kept();
  assert.deepEqual(events.map((event) => [event.trigger[0], event.arguments.length]), [[4, 1], [0, 0]]);
});

test("a change is unsaved until what is written is what was saved", () => {
  const editing = editingOf();
  assert.equal(editing.isUnsaved, false);
  editing.addArgument("suspect", [0, 1]);
  assert.equal(editing.isUnsaved, true);
  editing.undo();
  assert.equal(editing.isUnsaved, false);
  editing.redo();
  const sent = editing.written;
  editing.removeEvent(1);
  editing.saved = sent;
  assert.equal(editing.isUnsaved, true);
  editing.undo();
  assert.equal(editing.isUnsaved, false);
});
