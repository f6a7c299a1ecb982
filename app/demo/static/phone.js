// The phone: one WebSocket, and one screen for each state of a call.

import { BANDS, choose } from "./marks.js";
import { voiceFor } from "./sound.js";

const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
  ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""],
];
const KEY_NAMES = { "*": "star", "#": "hash" };
const LANGUAGES = { en: "English", pl: "Polski", nb: "Norsk bokmål", fr: "Français" };
const SKIPPED = {
  opted_out: "This phone has asked not to be called again. Reload the page for another number.",
  surveyed_recently: "This phone was asked not long ago, so it is left in peace.",
  survey_open: "A survey of this phone is still open.",
};
const ENDINGS = {
  completed: "Stored with the call it belongs to. Thank you.",
  partial: "The score was stored the moment you gave it.",
  opted_out: "You asked not to be called again, and you will not be.",
};
const NOT_CALLED = ["failed", "expired", "unreached", "opted_out"];
const TYPING_EVERY_MS = 1000;
const WAVE_EVERY_MS = 180;
const STORY_EVERY_MS = 1000;
const STORY_AFTER_MS = 10000;
const RECONNECT_MS = 2000;

export class Phone {
  #element;
  #sound;
  #owned;
  #socket = null;
  #state = "connecting";
  #number = "";
  #brand = "";
  #surveyId = null;
  #story = null;
  #answeredAt = 0;
  #how = "";
  #timers = [];
  #lastTyping = 0;
  #pressed = null;
  #utterance = null;

  constructor(element, sound, owned) {
    this.#element = element;
    this.#sound = sound;
    this.#owned = owned;
    this.#drawKeypad();
    this.#bind();
  }

  connect() {
    const address = new URL("/demo/phone", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(address);
    this.#socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    this.#socket.onclose = ({ code }) => {
      this.#sound.stopRinging();
      this.#sound.hush();
      this.#show("connecting");
      this.#find("#connection-words").textContent = code === 1013 ? "Every phone is taken. Trying again." : "Looking for Zeroten.";
      setTimeout(() => this.connect(), RECONNECT_MS);
    };
  }

  soundChanged() {
    if (this.#sound.on && this.#state === "ringing") this.#sound.ring();
  }

  #find(selector) {
    return this.#element.querySelector(selector);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    switch (message.type) {
      case "ready":
        return this.#ready(message);
      case "ring":
        return this.#ring(message);
      case "utterance":
        return this.#hear(message);
      case "listening":
        return this.#listen(message);
      case "ended":
        return this.#end();
    }
  }

  // What the line does

  #ready({ number, brand, queues, languages }) {
    this.#number = number;
    this.#brand = brand;
    this.#find("#number").textContent = spaced(number);
    this.#element.querySelectorAll(".brand").forEach((each) => (each.textContent = brand));
    const option = (value, text) => Object.assign(new Option(text, value), { lang: value === text ? "" : value });
    for (const form of this.#element.querySelectorAll("form.order")) {
      form.elements.queue.replaceChildren(...queues.map((queue) => option(queue, queue)));
      form.elements.language.replaceChildren(...languages.map((each) => option(each, LANGUAGES[each] ?? each)));
    }
    this.#show("idle");
  }

  #ring({ from }) {
    this.#find("#from").textContent = spaced(from);
    this.#how = "Missed call";
    this.#story = null;
    this.#answeredAt = 0;
    this.#show("ringing");
    this.#announce(`${this.#brand} is calling. Accept or decline.`);
    this.#focus("#accept");
    this.#sound.ring();
    this.#wave();
  }

  async #hear(utterance) {
    this.#utterance = utterance.id;
    this.#turn(`${this.#brand} is speaking`, false);
    // Keys that cut in are one answer, though the rest of the question still comes.
    if (utterance.aloud) this.#pressed = null;
    this.#write("them", utterance.text || "A recorded message", utterance.language);
    if (utterance.aloud) {
      if (utterance.language) await this.#noteMissingVoice(utterance.language);
      if (this.#utterance !== utterance.id || this.#state !== "talking") return;
      await this.#sound.say(utterance);
    }
    this.#send({ type: "said", id: utterance.id });
  }

  #listen({ keys, speech, finish_on_key, language }) {
    this.#utterance = null;
    const recording = finish_on_key.length > 1 || !language;
    const how = recording ? "say it, then press #" : keys && speech ? "press keys, or say it" : keys ? "press keys" : "say it";
    this.#turn(`Your turn: ${how}`, true);
  }

  #end() {
    this.#sound.stopRinging();
    this.#sound.hush();
    this.#utterance = null;
    if (!["ringing", "talking"].includes(this.#state)) return;
    if (this.#answeredAt) this.#how ||= "The call is over";
    this.#show("ended");
    this.#showStory();
    this.#announce(this.#how);
    this.#followStory(STORY_AFTER_MS);
  }

  // What the caller does

  #accept() {
    this.#sound.stopRinging();
    this.#answeredAt = Date.now();
    this.#how = "";
    this.#find("#transcript").replaceChildren();
    this.#show("talking");
    this.#showStory();
    this.#turn("Connected", false);
    this.#focus("#transcript");
    this.#every(1000, () => (this.#find(".clock").textContent = this.#length()));
    this.#followStory(Infinity);
    this.#send({ type: "accept" });
  }

  #decline() {
    this.#how = "You declined";
    this.#send({ type: "decline" });
    this.#end();
  }

  #hangUp() {
    this.#how = "You hung up";
    this.#send({ type: "hangup" });
    this.#end();
  }

  #press(key) {
    this.#sound.hush();
    this.#sound.key(key);
    if (this.#pressed?.isConnected) this.#pressed.lastChild.textContent += ` ${key}`;
    else this.#pressed = this.#write("you", key);
    this.#scroll();
    this.#send({ type: "keys", keys: key });
  }

  #say() {
    const field = this.#find("#say").elements.words;
    const text = field.value.trim();
    if (!text) return;
    this.#sound.hush();
    this.#pressed = null;
    this.#write("you", text);
    this.#send({ type: "say", text });
    field.value = "";
  }

  #typing() {
    if (Date.now() - this.#lastTyping < TYPING_EVERY_MS) return;
    this.#lastTyping = Date.now();
    this.#send({ type: "typing" });
  }

  async #order(form) {
    const { queue, language } = Object.fromEntries(new FormData(form));
    for (const other of this.#element.querySelectorAll("form.order")) {
      other.elements.queue.value = queue;
      other.elements.language.value = language;
    }
    this.#surveyId = null;
    this.#story = null;
    this.#show("waiting");
    const answer = await post("/demo/call", { queue, language, phone: this.#number });
    if (answer?.survey_id && answer.decision !== "skipped") {
      this.#surveyId = answer.survey_id;
      this.#owned(answer.survey_id);
      if (this.#state === "waiting") this.#followStory(Infinity);
      return;
    }
    const why = answer ? (SKIPPED[answer.reason] ?? `Zeroten decided not to call: ${answer.reason}.`) : null;
    this.#giveUp(why ?? "That did not work. Please try again.");
  }

  #giveUp(words) {
    this.#show("idle");
    this.#element.querySelectorAll(".reply").forEach((each) => (each.textContent = words));
  }

  // What was stored

  #followStory(forMs) {
    const until = Date.now() + forMs;
    this.#every(STORY_EVERY_MS, async () => {
      if (!this.#surveyId || Date.now() > until) return;
      const story = await get(`/demo/calls/${encodeURIComponent(this.#surveyId)}`);
      if (!story) return;
      this.#story = story;
      this.#showStory();
      if (this.#state === "waiting" && NOT_CALLED.includes(story.status)) this.#giveUp("The call could not be placed.");
    });
  }

  #showStory() {
    const response = this.#story?.response ?? null;
    const score = response?.score ?? null;
    choose(this.#find("#live-marks"), score);
    choose(this.#find("#ended-marks"), score);
    const length = this.#answeredAt && this.#state === "ended" ? `, ${this.#find(".clock").textContent}` : "";
    this.#find("#ended-how").textContent = this.#how + length;
    this.#find("#ended-score").textContent = score ?? "";
    this.#find("#ended-marks").hidden = score === null;
    this.#find("#ended-score").hidden = score === null;
    this.#find("#ended-band").textContent = score === null ? "" : BANDS[response.band];
    this.#find("#ended-comment").textContent = response?.comment ? `“${response.comment}”` : "";
    this.#find("#ended-comment").lang = response?.language ?? "en";
    const words = ENDINGS[this.#story?.status] ?? (score === null ? "Nothing was stored." : ENDINGS.partial);
    this.#find("#ended-words").textContent = words;
  }

  // The screens

  #show(state) {
    this.#state = state;
    this.#element.dataset.state = state;
    this.#timers.forEach(clearInterval);
    this.#timers = [];
    this.#element.querySelectorAll(".reply").forEach((each) => (each.textContent = ""));
    if (state === "talking") this.#find(".clock").textContent = "0:00";
    if (state === "ended" && this.#answeredAt) this.#find(".clock").textContent = this.#length();
  }

  #every(milliseconds, action) {
    action();
    this.#timers.push(setInterval(action, milliseconds));
  }

  #wave() {
    const marks = this.#find(".wave");
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      marks.classList.add("all");
      return;
    }
    let at = 0;
    this.#every(WAVE_EVERY_MS, () => choose(marks, at++ % 16));
  }

  #turn(words, listening) {
    const line = this.#find("#turn");
    line.classList.toggle("listening", listening);
    line.firstElementChild.textContent = words;
  }

  #write(who, text, language = "") {
    const line = document.createElement("p");
    line.className = who;
    if (language) line.lang = language;
    if (who === "you") {
      const name = Object.assign(document.createElement("span"), { className: "only-heard", textContent: "You: " });
      line.append(name);
    }
    line.append(document.createTextNode(text));
    this.#element.querySelectorAll(".transcript .them").forEach((each) => each.classList.add("past"));
    this.#find("#transcript").append(line);
    this.#scroll();
    return line;
  }

  #scroll() {
    const transcript = this.#find("#transcript");
    transcript.scrollTop = transcript.scrollHeight;
  }

  async #noteMissingVoice(language) {
    if (!this.#sound.on || this.#find(".aside") || (await voiceFor(language))) return;
    const name = new Intl.DisplayNames("en", { type: "language" }).of(language.split("-")[0]);
    const note = document.createElement("p");
    note.className = "aside";
    note.textContent = `This browser has no voice for ${name}: please read along.`;
    this.#find("#transcript").prepend(note);
  }

  #announce(words) {
    this.#find("#announcement").textContent = words;
  }

  #focus(selector) {
    // Somebody at work elsewhere on the page keeps the focus there.
    const at = document.activeElement;
    if (at !== document.body && !this.#element.contains(at)) return;
    this.#find(selector).focus({ preventScroll: true });
    this.#element.scrollIntoView({ block: "nearest" });
  }

  #length() {
    const seconds = Math.round((Date.now() - this.#answeredAt) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  #drawKeypad() {
    const keys = KEYS.map(([key, letters]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.key = key;
      if (KEY_NAMES[key]) button.setAttribute("aria-label", `${key} ${KEY_NAMES[key]}`);
      const [digit, small] = [document.createElement("b"), document.createElement("small")];
      digit.textContent = key;
      small.textContent = letters;
      small.setAttribute("aria-hidden", "true");
      button.append(digit, small);
      button.addEventListener("click", () => this.#press(key));
      return button;
    });
    this.#find("#keypad").append(...keys);
  }

  #bind() {
    const on = (selector, event, action) => this.#find(selector).addEventListener(event, action);
    on("#accept", "click", () => this.#accept());
    on("#decline", "click", () => this.#decline());
    on("#hangup", "click", () => this.#hangUp());
    on("#forget", "click", () => this.#show("idle"));
    on("#say", "input", () => this.#typing());
    on("#say", "submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    for (const form of this.#element.querySelectorAll("form.order")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#order(form);
      });
    }
    document.addEventListener("keydown", (event) => this.#type(event));
  }

  #type(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (this.#state === "talking") this.#hangUp();
      if (this.#state === "ringing") this.#decline();
    }
    const writing = event.target.closest("input, select, textarea");
    if (this.#state !== "talking" || writing || !/^[0-9*#]$/.test(event.key)) return;
    event.preventDefault();
    this.#press(event.key);
    const key = this.#find(`[data-key="${event.key}"]`);
    key.classList.add("down");
    setTimeout(() => key.classList.remove("down"), 120);
  }
}

function spaced(number) {
  return number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 $1 $2 $3");
}

async function answerOf(request) {
  try {
    const response = await request;
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

const get = (url) => answerOf(fetch(url));
const post = (url, body) =>
  answerOf(fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));
