// The queues beside the phone. Every row is made once; live numbers only change what stands in it.

import { choose, newMarks } from "./marks.js";

const FEW = 30;
const LATEST = 7;
const NOBODY = "Nobody has answered yet";
const count = new Intl.NumberFormat();
const signed = new Intl.NumberFormat(undefined, { signDisplay: "exceptZero", maximumFractionDigits: 0 });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const minus = (text) => text.replace("-", "−");
const number = (value) => (value === null || value === undefined ? null : Number(value));

function part(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

function heard(text) {
  return Object.assign(part("span", "only-heard"), { textContent: text });
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

class QueueRow {
  constructor(list, total = false) {
    this.element = part("li", total ? "total" : "");
    this.parts = Object.fromEntries(["name", "n", "plot", "nps", "margin"].map((each) => [each, part("span", each)]));
    this.title = part("span", "");
    this.words = part("small", "");
    this.parts.name.append(this.title, this.words);
    this.answers = part("span", "");
    this.score = part("span", "");
    this.parts.n.append(this.answers, heard(" answers"));
    this.parts.nps.append(heard("Net Promoter Score "), this.score);
    this.parts.plot.append(part("span", "interval"), part("span", "dot"), part("span", "empty"));
    this.element.append(...Object.values(this.parts));
    list.append(this.element);
  }

  show(row) {
    const { plot, margin } = this.parts;
    const [score, within] = [number(row.nps), number(row.margin95)];
    const answers = Number(row.responses);
    this.element.classList.toggle("none", score === null);
    this.element.classList.toggle("few", score !== null && answers < FEW);
    write(this.title, row.group);
    this.title.title = row.group;
    write(this.answers, count.format(answers));
    write(this.words, score !== null && answers < FEW ? "too few to say yet" : "");
    write(plot.lastChild, score === null ? NOBODY : "");
    write(this.score, score === null ? "unknown" : minus(signed.format(score)));
    write(margin, score === null ? "" : `±${whole.format(within)}`);
    const [low, high] = row.interval ?? [0, 0];
    plot.style.setProperty("--nps", score ?? 0);
    plot.style.setProperty("--low", low);
    plot.style.setProperty("--high", high);
  }
}

class NumberRow {
  static columns = ["invited", "reached", "responses", "detractors", "passives", "promoters"];

  constructor(body) {
    this.element = body.insertRow();
    this.head = document.createElement("th");
    this.head.scope = "row";
    this.element.append(this.head);
    this.cells = Array.from({ length: 8 }, () => this.element.insertCell());
  }

  show(row) {
    write(this.head, row.group);
    const one = (value, format) => (number(value) === null ? "–" : minus(format.format(number(value))));
    const tenths = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    const texts = NumberRow.columns.map((column) => one(row[column], count));
    texts.push(one(row.nps, tenths), one(row.margin95, tenths));
    texts.forEach((text, index) => write(this.cells[index], text));
  }
}

class AnswerRow {
  constructor(list) {
    this.element = part("li", "blank");
    this.marks = newMarks();
    this.parts = Object.fromEntries(["digit", "comment", "queue", "tongue"].map((each) => [each, part("span", each)]));
    this.element.append(this.marks, ...Object.values(this.parts));
    list.append(this.element);
  }

  show(answer, mine, nobody) {
    this.element.classList.toggle("blank", !answer);
    this.element.classList.toggle("mine", mine);
    const { digit, comment, queue, tongue } = this.parts;
    choose(this.marks, answer ? answer.score : null);
    write(digit, answer ? String(answer.score) : "");
    this.element.classList.toggle("wordless", !answer?.comment);
    write(comment, answer ? answer.comment || "no comment" : nobody ? NOBODY : "");
    comment.title = answer?.comment ?? "";
    comment.lang = answer?.comment ? answer.language : "en";
    write(queue, answer ? (mine ? `${answer.queue}, you` : answer.queue) : "");
    write(tongue, answer?.language ?? "");
  }
}

export class Board {
  paused = false;
  #own = new Set();
  #queues = new Map();
  #numbers = new Map();
  #answers = Array.from({ length: LATEST }, () => new AnswerRow(document.getElementById("latest")));

  connect() {
    const source = new EventSource("/demo/live");
    source.onmessage = ({ data }) => this.paused || this.#show(JSON.parse(data));
  }

  own(surveyId) {
    this.#own.add(surveyId);
  }

  #show({ queues, total, latest, progress }) {
    this.#showQueues([...queues, total]);
    this.#showFunnel(total);
    this.#answers.forEach((row, index) => {
      const answer = latest[index];
      row.show(answer, this.#own.has(answer?.survey_id), index === 0);
    });
    this.#showProgress(progress);
  }

  #showQueues(rows) {
    const list = document.getElementById("queues");
    const body = document.getElementById("numbers");
    const names = rows.map((row) => row.group);
    if (names.join("\n") !== [...this.#queues.keys()].join("\n")) {
      list.replaceChildren();
      body.replaceChildren();
      this.#queues = new Map(names.map((name, index) => [name, new QueueRow(list, index === names.length - 1)]));
      this.#numbers = new Map(names.map((name) => [name, new NumberRow(body)]));
    }
    for (const row of rows) {
      this.#queues.get(row.group).show(row);
      this.#numbers.get(row.group).show(row);
    }
  }

  #showFunnel(total) {
    let before = null;
    for (const step of document.getElementById("funnel").children) {
      const value = Number(total[step.dataset.step]);
      const share = before ? value / before : null;
      const figure = step.querySelector("dd");
      const words = document.createElement("small");
      words.textContent = share === null ? "" : `${percent.format(share)} of them`;
      figure.replaceChildren(count.format(value), words);
      step.style.setProperty("--share", total.invited ? value / total.invited : 0);
      before = value;
    }
  }

  #showProgress({ done, total }) {
    const track = document.querySelector("#progress .track");
    const over = done >= total;
    track.setAttribute("aria-valuemax", total);
    track.setAttribute("aria-valuenow", done);
    track.classList.toggle("over", over);
    track.style.setProperty("--done", total ? done / total : 0);
    const words = over ? `${count.format(done)} rehearsed calls and messages are in; the chats come on top` : `Rehearsing calls and messages: ${count.format(done)} of ${count.format(total)}`;
    write(document.getElementById("progress-words"), total ? words : "");
  }
}
