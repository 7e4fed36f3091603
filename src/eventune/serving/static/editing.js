// A document that is corrected: its record as the server knows it, each change undoable. Spans are of tokens.
// What is less probable than the threshold is hidden: it is neither chosen nor removed at a token nor kept.

const PLACES = ["text", "start", "end"];

export class Editing {
  constructor(record, threshold) {
    this.record = record;
    this.characters = Array.from(record.text); // offsets count code points, JavaScript's strings UTF-16 units
    this.current = 0;
    this.past = [];
    this.future = [];
    this.saved = this.written;
    this.hideBelow(threshold);
  }

  // The events as text; `saved` is what it was when they were saved or exported last.
  get written() {
    return JSON.stringify(this.events);
  }

  get isUnsaved() {
    return this.written !== this.saved;
  }

  hideBelow(threshold) {
    this.threshold = threshold;
    this.settle();
  }

  // Chooses the next event that is shown where the chosen one is not, else the last one, or none.
  settle() {
    this.current = this.shown.find((number) => number >= this.current) ?? this.shown.at(-1) ?? -1;
  }

  step(by) {
    const place = this.shown.indexOf(this.current) + by;
    this.current = this.shown[place] ?? this.current;
  }

  shows(event) {
    return scoreOf(event) >= this.threshold;
  }

  showsArgument(argument) {
    return (argument.score ?? 1) >= this.threshold;
  }

  // The numbers of the events that are shown.
  get shown() {
    return [...this.events.keys()].filter((number) => this.shows(this.events[number]));
  }

  get events() {
    return this.record.events;
  }

  get event() {
    return this.events[this.current];
  }

  get size() {
    return this.record.tokens.length;
  }

  words(span) {
    const [first, last] = [this.record.tokens[span[0]], this.record.tokens[span[1] - 1]];
    return this.characters.slice(first[0], last[1]).join("");
  }

  between(token) {
    const start = token === 0 ? 0 : this.record.tokens[token - 1][1];
    const end = token === this.size ? this.characters.length : this.record.tokens[token][0];
    return this.characters.slice(start, end).join("");
  }

  change(edit) {
    this.past.push(JSON.stringify([this.events, this.current]));
    this.future = [];
    edit(this.events);
    this.settle();
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(JSON.stringify([this.events, this.current]));
    [this.record.events, this.current] = JSON.parse(from.pop());
    this.settle();
  }

  replaceEvents(events) {
    this.change(() => { this.record.events = events; });
  }

  addEvent(type, span) {
    this.change((events) => {
      events.push({ type, trigger: span, arguments: [] });
      this.current = events.length - 1;
    });
  }

  moveTrigger(span) {
    this.change(() => {
      this.event.trigger = span;
      forget(this.event, [...PLACES, "mentions"]);
      certain(this.event);
    });
  }

  setType(number, type, roles) {
    this.change((events) => {
      events[number].type = type;
      events[number].arguments = events[number].arguments.filter((argument) => roles.includes(argument.role));
      certain(events[number]);
    });
  }

  addArgument(role, span) {
    this.change(() => {
      this.event.arguments = this.event.arguments.filter((argument) => !same(argument.span, span));
      this.event.arguments.push({ role, span });
    });
  }

  removeArgument(number, place) {
    this.change((events) => events[number].arguments.splice(place, 1));
  }

  removeEvent(number) {
    this.change((events) => events.splice(number, 1));
  }

  removeAt(token) {
    const place = this.event?.arguments.findLastIndex((argument) => this.showsArgument(argument) && covers(argument.span, token)) ?? -1;
    const number = this.shown.find((each) => this.events[each].trigger && covers(this.events[each].trigger, token));
    if (place >= 0) this.removeArgument(this.current, place);
    else if (number !== undefined) this.removeEvent(number);
  }

  // The record with what is shown.
  kept() {
    const events = this.events.filter((event) => this.shows(event));
    return { ...this.record, events: events.map((event) => ({ ...event, arguments: event.arguments.filter((each) => this.showsArgument(each)) })) };
  }
}

export function covers(span, token) {
  return span[0] <= token && token < span[1];
}

export function scoreOf(event) {
  return event.attributes?.score ?? 1;
}

function same(one, other) {
  return one[0] === other[0] && one[1] === other[1];
}

function forget(object, names) {
  for (const name of names) delete object[name];
}

function certain(event) {
  if (event.attributes) delete event.attributes.score;
}
