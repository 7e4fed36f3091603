// The text with its marks, and what is selected in it: whole tokens, by mouse and by keyboard.

import { covers } from "./editing.js";

export class Marking {
  constructor(element, lines, changed, chosen) {
    this.element = element;
    this.lines = lines;
    this.changed = changed;
    this.anchor = this.cursor = 0;
    this.hasSelection = false;
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => event.buttons === 1 && this.pull(event));
    // Drawn anew only now: what is pressed must stay in the page, or the text loses the focus.
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => this.drawn !== this.editing?.current && chosen());
    element.addEventListener("scroll", () => this.drawLines());
    new ResizeObserver(() => this.drawLines()).observe(element);
  }

  get selection() {
    return this.hasSelection ? [Math.min(this.anchor, this.cursor), Math.max(this.anchor, this.cursor) + 1] : null;
  }

  show(editing, colour) {
    this.editing = editing;
    this.drawn = editing.current;
    const marks = [];
    editing.events.forEach((event, number) => {
      if (!editing.shows(event)) return;
      const isCurrent = number === editing.current;
      if (event.trigger) marks.push({ span: event.trigger, label: event.type, style: isCurrent ? "trigger" : "trigger other", event: number });
      if (!isCurrent) return;
      for (const argument of event.arguments) {
        if (editing.showsArgument(argument)) marks.push({ span: argument.span, label: argument.role, style: colour(event.type, argument.role) });
      }
    });
    this.marks = marks;
    const pieces = [];
    for (let token = 0; token <= editing.size; token += 1) {
      const shared = marks.filter((mark) => token > 0 && covers(mark.span, token - 1) && covers(mark.span, token));
      pieces.push(this.piece("gap", editing.between(token), shared));
      if (token === editing.size) break;
      const element = this.piece("token", editing.words([token, token + 1]), marks.filter((mark) => covers(mark.span, token)));
      element.dataset.token = token;
      pieces.push(element);
      for (const mark of marks.filter((each) => each.span[1] === token + 1)) pieces.push(tag(mark.label));
    }
    this.element.replaceChildren(...pieces);
    this.showSelection();
    this.drawLines();
  }

  piece(kind, text, marks) {
    const element = document.createElement("span");
    element.className = [kind, ...new Set(marks.flatMap((mark) => mark.style.split(" ")))].join(" ");
    element.textContent = text;
    return element;
  }

  token(number) {
    return this.element.querySelector(`[data-token="${number}"]`);
  }

  showSelection() {
    for (const element of this.element.querySelectorAll(".selected, .cursor")) element.classList.remove("selected", "cursor");
    this.token(this.cursor)?.classList.add("cursor");
    const selection = this.selection;
    if (selection) for (let n = selection[0]; n < selection[1]; n += 1) this.token(n)?.classList.add("selected");
  }

  select(anchor, cursor, hasSelection = true) {
    const last = this.editing.size - 1;
    [this.anchor, this.cursor] = [Math.min(anchor, last), Math.max(0, Math.min(cursor, last))];
    this.hasSelection = hasSelection && last >= 0;
    this.showSelection();
    this.token(this.cursor)?.scrollIntoView({ block: "nearest" });
    this.changed();
  }

  press(event) {
    const token = tokenOf(event.target);
    if (token === null) return;
    const mark = this.marks.find((each) => each.event !== undefined && covers(each.span, token));
    if (mark) this.editing.current = mark.event;
    this.select(event.shiftKey ? this.anchor : token, token);
  }

  pull(event) {
    const token = tokenOf(document.elementFromPoint(event.clientX, event.clientY));
    if (token !== null && token !== this.cursor) this.select(this.anchor, token);
  }

  // Curves from the chosen event's trigger to its arguments.
  drawLines() {
    const event = this.editing?.event;
    const stage = this.element.getBoundingClientRect();
    const paths = [];
    if (event?.trigger && this.marks.some((mark) => mark.event === this.editing.current)) {
      const from = this.middleOf(event.trigger, stage);
      for (const mark of this.marks.filter((each) => each.event === undefined)) {
        const to = this.middleOf(mark.span, stage);
        if (!from || !to) continue;
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        const height = Math.min(from.y, to.y) - Math.min(14, 6 + Math.abs(from.x - to.x) / 20);
        path.setAttribute("d", `M ${from.x} ${from.y} C ${from.x} ${height}, ${to.x} ${height}, ${to.x} ${to.y}`);
        paths.push(path);
      }
    }
    this.lines.replaceChildren(...paths);
  }

  middleOf(span, stage) {
    const box = this.token(span[0])?.getBoundingClientRect();
    if (!box || box.bottom < stage.top || box.top > stage.bottom) return null;
    return { x: box.left + box.width / 2 - stage.left, y: box.top - stage.top + 2 };
  }
}

function tokenOf(element) {
  const found = element?.closest?.("[data-token]");
  return found ? Number(found.dataset.token) : null;
}

function tag(label) {
  const element = document.createElement("span");
  element.className = "tag";
  element.textContent = label;
  return element;
}
