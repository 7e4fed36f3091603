import assert from "node:assert/strict";
import { test } from "node:test";

import { cards, choose, next, openDocument, openPage, press, recordOf, settled } from "./standin.mjs";

const A = recordOf("a", ["Gunmen", "shot", "soldiers"], ["attack", 1, 0.9, ["attacker", 0, 0.8]]);
const B = recordOf("b", ["Police", "held"], ["arrest", 1, 0.9]);
const FOUND = recordOf("a", ["Gunmen", "shot", "soldiers"], ["attack", 2, 0.9]);

const status = (page) => page.at("status").textContent;
const mark = (page) => { press(page, "ArrowRight"); press(page, "ArrowRight"); press(page, "2"); };
const find = (page) => { page.at("input").value = "Police held"; page.at("find").click(); return settled(); };

function slide(page, percent) {
  page.at("threshold").value = percent;
  page.at("threshold").fire("input");
}

async function savedOf(page) {
  page.at("save").click();
  const request = next(page, "PUT");
  await request.answer({ can_save: true, documents: [] });
  return request.content.document;
}

test("no role is given to an event that is hidden", async () => {
  const page = await openPage(["a"]);
  await openDocument(page, 0, A);
  slide(page, 95);
  assert.deepEqual(cards(page), []);
  mark(page);
  const tools = page.at("tools").all((each) => each.tag === "button").map((each) => each.textContent);
  assert.deepEqual(tools, ["New event"]);
  press(page, "1");
  press(page, "m");
  press(page, "]");
  press(page, "Delete");
  slide(page, 0);
  assert.deepEqual((await savedOf(page)).events, A.events);
});

test("what is hidden stays hidden when arguments are found anew", async () => {
  const page = await openPage(["a"]);
  await openDocument(page, 0, A);
  page.at("again").click();
  const { content, answer } = next(page, "POST v1/extract");
  await answer({ documents: [{ ...A, events: content.documents[0].events.map((event) => ({ ...event, arguments: [] })) }] });
  slide(page, 95);
  assert.deepEqual(cards(page), []);
});
