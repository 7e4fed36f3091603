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

for (const [button, event] of [["again", "arguments found anew"], ["compare", "a comparison"]]) {
  test(`${event}: dropped where another document was opened meanwhile`, async () => {
    const page = await openPage(["a", "b"]);
    await openDocument(page, 0, A);
    page.at(button).click();
    await openDocument(page, 1, B);
    while (page.asked.length) await next(page, "POST v1/extract").answer({ documents: [FOUND] });
    assert.deepEqual(cards(page), ["held"]);
    assert.equal(page.at("beside").hidden, true);
    assert.equal(status(page), "");
    assert.deepEqual((await savedOf(page)).events, B.events);
  });

  test(`${event}: dropped where another document is asked for meanwhile, and comes later`, async () => {
    const page = await openPage(["a", "b"]);
    await openDocument(page, 0, A);
    page.at(button).click();
    await choose(page, 1);
    while (page.asked.some((each) => each.name === "POST v1/extract")) await next(page, "POST v1/extract").answer({ documents: [FOUND] });
    assert.deepEqual(cards(page), ["shot"]);
    await next(page, "GET v1/annotations/document").answer({ document: B });
    assert.deepEqual(cards(page), ["held"]);
    assert.deepEqual(page.questions, []);
  });
}

test("of the documents that were asked for the last is opened, in whatever order they come", async () => {
  const page = await openPage(["a", "b"]);
  await choose(page, 0);
  const first = next(page, "GET v1/annotations/document");
  await openDocument(page, 1, B);
  await first.answer({ document: A });
  assert.deepEqual(cards(page), ["held"]);
});

test("a text that is still being read does not replace a document that was chosen later", async () => {
  const page = await openPage(["a"]);
  await find(page);
  await next(page, "POST v1/document").answer({ document: { ...B, events: [] } });
  await openDocument(page, 0, A);
  await next(page, "POST v1/extract").answer({ documents: [B] });
  assert.deepEqual(cards(page), ["shot"]);
});

test("of two comparisons the last that was asked for is shown", async () => {
  const page = await openPage(["a"]);
  await openDocument(page, 0, A);
  page.at("compare").click();
  page.at("compare").click();
  const requests = page.asked.splice(0);
  for (const each of requests.slice(2)) await each.answer({ documents: [A] });
  for (const each of requests.slice(0, 2)) await each.answer({ documents: [each === requests[0] ? A : FOUND] });
  assert.equal(page.at("differences").textContent, "differences: 0");
});

test("an error of a request that was overtaken is not told, and one of the last is", async () => {
  const page = await openPage(["a", "b"]);
  await openDocument(page, 0, A);
  page.at("again").click();
  const again = next(page, "POST v1/extract");
  await choose(page, 1);
  await again.answer({ error: { message: "too much" } }, 429);
  assert.equal(status(page), "Working …");
  await next(page, "GET v1/annotations/document").lose();
  assert.equal(status(page), "The server does not answer.");
  assert.deepEqual(cards(page), ["shot"]);
});

test("a failed saving is told, whatever was opened meanwhile", async () => {
  const page = await openPage(["a", "b"]);
  await openDocument(page, 0, A);
  page.at("save").click();
  await openDocument(page, 1, B);
  await next(page, "PUT").answer({ error: { message: "disk full" } }, 500);
  assert.equal(status(page), "disk full");
});

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

test("an event that is chosen in the text is drawn with its own arguments", async () => {
  const page = await openPage(["a"]);
  await openDocument(page, 0, recordOf("a", ["Gunmen", "shot", "police", "held"], ["attack", 1, 0.9, ["attacker", 0, 0.8]], ["arrest", 3, 0.9, ["suspect", 2, 0.8]]));
  const token = page.at("marked").querySelector('[data-token="3"]');
  page.at("marked").fire("pointerdown", { target: { closest: () => token } });
  assert.equal(page.at("marked").querySelector('[data-token="3"]'), token);
  document.fire("pointerup");
  const tags = page.at("marked").all((each) => each.className === "tag").map((each) => each.textContent);
  assert.deepEqual(tags, ["attack", "suspect", "arrest"]);
});

for (const [language, question] of [["en", /neither saved nor exported/], ["zh", /尚未保存/]]) {
  test(`who leaves unsaved corrections is asked first (${language})`, async () => {
    const page = await openPage(["a", "b"], language);
    await openDocument(page, 0, A);
    mark(page);
    await choose(page, 1);
    await find(page);
    assert.deepEqual(page.asked, []);
    assert.match(page.questions[1], question);
    assert.equal(page.window.fire("beforeunload").isPrevented, true);
    page.agrees = true;
    await openDocument(page, 1, B);
    assert.equal(page.questions.length, 3);
    assert.deepEqual(cards(page), ["held"]);
    assert.equal(page.window.fire("beforeunload").isPrevented, undefined);
  });
}

test("who corrects while another document comes is asked when it is there", async () => {
  const page = await openPage(["a", "b"]);
  await openDocument(page, 0, A);
  await choose(page, 1);
  mark(page);
  await next(page, "GET v1/annotations/document").answer({ document: B });
  assert.equal(page.questions.length, 1);
  assert.deepEqual(cards(page), ["shot"]);
});

test("nobody is asked about what was saved or exported, but about what came after", async () => {
  const page = await openPage(["a", "b"]);
  await openDocument(page, 0, A);
  mark(page);
  page.formats[0].click();
  await next(page, "POST v1/export").answer({ files: [] });
  assert.equal(page.window.fire("beforeunload").isPrevented, undefined);
  press(page, "Delete");
  page.at("save").click();
  mark(page);
  await next(page, "PUT").answer({ can_save: true, documents: [{ id: "b", is_saved: false }] });
  assert.equal(page.window.fire("beforeunload").isPrevented, true);
  await savedOf(page);
  assert.equal(page.window.fire("beforeunload").isPrevented, undefined);
});

test("a file of text is opened, and the same file again", async () => {
  const page = await openPage();
  const file = page.at("file");
  Object.assign(file, { files: [{ name: "News.TXT", text: async () => "Police held" }], value: "News.TXT" });
  file.fire("change");
  await settled();
  assert.deepEqual([page.at("input").value, file.value], ["Police held", ""]);
});

test("a corpus is not taken for a text", async () => {
  const page = await openPage();
  page.at("input").value = "as before";
  const file = Object.assign(page.at("file"), { files: [{ name: "dev.jsonl", text: async () => "{}" }], value: "dev.jsonl" });
  file.fire("change");
  await settled();
  assert.equal(page.at("input").value, "as before");
  assert.match(status(page), /dev\.jsonl.*--documents/);
  assert.equal(file.value, "");
});
