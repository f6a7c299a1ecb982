/*
 * Zeroten's survey in a page:
 *
 *   <script src="https://HOST/widget.js" data-token="TOKEN"></script>
 *
 * data-position   corner (default) or inline, where the script stands
 * data-language   the page's language, such as pl or nb-NO
 * data-color      the colour of what is pressed to send
 * data-logo       the address of a logo
 * data-theme      light or dark; without it, what the reader prefers
 *
 * It speaks Rasa's REST contract, keeps to its own shadow root, and never reads a text as HTML.
 */
(() => {
  "use strict";

  const script = document.currentScript || document.querySelector('script[src*="widget.js"][data-token]');
  if (!script?.dataset.token) return;
  const { token, position, language, color, logo, theme } = script.dataset;
  const inline = position === "inline";
  const endpoint = new URL("webhooks/rest/webhook", script.src).href;

  const SHOW_CHOICE_MS = 250;
  const ANSWER_WITHIN_MS = 15000;
  const LONGEST_PAUSE_MS = 15000;
  const FEW_LEFT = 100;

  const DARK = `color-scheme: dark; --paper: #1b2023; --ink: #e9e6df; --quiet: #9da6a9; --line: #2a3033; --edge: #737d82;
    --faint: #22282b; --detractor: #d9694f; --passive: #c8ab4e; --promoter: #46a08b; --on-detractor: #14181a;
    --on-promoter: #14181a; --accent: #3a6cb0; --ring: #93b8ea; --lift: 0 16px 40px rgb(0 0 0 / 40%);`;
  const CSS_TEXT = `
    :host { all: initial !important; display: block !important; contain: layout style !important; }
    :host(.corner) { position: fixed !important; z-index: 2147483000 !important; right: 16px !important;
      bottom: 16px !important; width: 384px !important; max-width: calc(100vw - 16px) !important; }
    @media (max-width: 480px) { :host(.corner) { right: 8px !important; bottom: 8px !important;
      width: calc(100vw - 16px) !important; } }
    *, *::before, *::after { box-sizing: border-box; }
    [hidden] { display: none !important; }
    .card { color-scheme: light; --paper: #ffffff; --ink: #1d2326; --quiet: #5c6468; --line: #e3e0d8; --edge: #858b8c;
      --faint: #f5f3ee; --detractor: #c4533a; --passive: #b89b3e; --promoter: #2e7d6b; --on-detractor: #ffffff;
      --on-passive: #14181a; --on-promoter: #ffffff; --accent: #2f5d9b; --on-accent: #ffffff; --ring: #2f5d9b;
      --lift: 0 1px 2px rgb(29 35 38 / 6%), 0 16px 40px rgb(29 35 38 / 12%);
      display: block; padding: 16px; border: 1px solid var(--line); border-radius: 12px; container-type: inline-size;
      background: var(--paper); color: var(--ink); font: 400 15px/1.5 "Inter Variable", Inter, system-ui, sans-serif;
      font-variant-numeric: tabular-nums; text-align: start; overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }
    :host([data-theme="dark"]) .card { ${DARK} }
    @media (prefers-color-scheme: dark) { :host(:not([data-theme="light"])) .card { ${DARK} } }
    :host(.corner) .card { box-shadow: var(--lift); max-height: calc(100vh - 32px); overflow-y: auto; }
    header { display: flex; align-items: center; gap: 8px; min-height: 32px; margin-bottom: 8px; color: var(--quiet);
      font-size: 13px; }
    header img { display: block; max-width: 120px; height: 24px; object-fit: contain; }
    h2 { flex: 1; margin: 0; font: inherit; font-weight: 600; color: var(--ink); }
    header p { margin: 0; white-space: nowrap; }
    p { margin: 0 0 8px; white-space: pre-line; }
    .said p { color: var(--quiet); }
    .said p:last-child { color: var(--ink); font-size: 18px; line-height: 1.4; margin-bottom: 16px; }
    .said strong { display: block; font-size: 18px; color: var(--ink); margin-bottom: 4px; }
    :focus { outline: none; }
    :focus-visible { outline: 2px solid var(--ring); outline-offset: 2px; }
    [tabindex="-1"]:focus-visible { outline: none; }
    button, textarea { font: inherit; color: inherit; margin: 0; }
    button { min-height: 44px; padding: 8px 16px; border: 1px solid var(--edge); border-radius: 8px; cursor: pointer;
      background: var(--paper); transition: background-color 120ms, color 120ms; touch-action: manipulation; }
    button:hover { background: var(--faint); }
    .scale { display: grid; grid-template-columns: repeat(11, minmax(28px, 1fr)); }
    .scale button { position: relative; min-width: 28px; padding: 0; border-radius: 0; margin-inline-start: -1px;
      font-size: 15px; font-weight: 600; }
    .scale button:first-child { border-start-start-radius: 8px; border-end-start-radius: 8px; margin-inline-start: 0; }
    .scale button:last-child { border-start-end-radius: 8px; border-end-end-radius: 8px; }
    .scale button:focus-visible, .scale button[aria-pressed="true"] { z-index: 1; }
    .ends { display: flex; justify-content: space-between; gap: 16px; margin-top: 8px; font-size: 13px;
      color: var(--quiet); }
    .ends span:last-child { text-align: end; }
    @container (max-width: 340px) { .scale, .ends { margin-inline: -8px; } }
    @container (max-width: 291px) {
      .scale { grid-template-columns: repeat(6, 1fr); gap: 6px; margin-inline: 0; }
      .scale button, .scale button:first-child, .scale button:last-child { border-radius: 8px; margin: 0; }
      .ends { margin-inline: 0; }
    }
    [data-band="detractor"], [data-band="detractor"]:hover { background: var(--detractor); border-color: var(--detractor);
      color: var(--on-detractor); }
    [data-band="passive"], [data-band="passive"]:hover { background: var(--passive); border-color: var(--passive);
      color: var(--on-passive); }
    [data-band="promoter"], [data-band="promoter"]:hover { background: var(--promoter); border-color: var(--promoter);
      color: var(--on-promoter); }
    .marks { display: flex; align-items: flex-end; gap: 3px; height: 16px; }
    .marks i { width: 3px; height: 50%; border: 0; border-radius: 1.5px; background: var(--edge); opacity: .45; }
    .marks i:nth-child(n + 8) { height: 75%; }
    .marks i:nth-child(n + 10) { height: 100%; }
    .marks i[data-band] { opacity: 1; }
    .marks [data-band="detractor"] { background: var(--detractor); }
    .marks [data-band="passive"] { background: var(--passive); }
    .marks [data-band="promoter"] { background: var(--promoter); }
    @container (max-width: 320px) { .marks { display: none; } }
    textarea { display: block; width: 100%; min-height: 72px; max-height: 240px; padding: 10px 12px; resize: none;
      border: 1px solid var(--edge); border-radius: 8px; background: var(--paper); font-size: 16px; line-height: 1.5; }
    textarea::placeholder { color: var(--quiet); opacity: 1; }
    .row { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-top: 8px; }
    .count { flex: 1 0 100%; margin: 4px 0 0; font-size: 13px; color: var(--quiet); text-align: end; }
    .choices button { flex: 1 1 120px; }
    .send { background: var(--accent); color: var(--on-accent); font-weight: 600; }
    .send:hover { background: var(--accent); filter: brightness(1.08); }
    .plain { border-color: transparent; background: none; color: var(--quiet); text-decoration: underline;
      text-underline-offset: 3px; }
    .plain:hover { color: var(--ink); }
    .stop { padding: 0 8px; margin: 8px 0 -8px -8px; font-size: 13px; }
    .close { min-width: 44px; padding: 0; margin: -6px -8px -6px 0; font-size: 22px; line-height: 1; text-decoration: none; }
    .notice { margin: 12px 0 0; padding: 8px 12px; border-radius: 8px; background: var(--faint); font-size: 13px; }
    .notice:empty { display: none; }
    [aria-busy="true"] button:not([aria-pressed="true"], .close) { opacity: .55; cursor: default; }
    @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
    @media (forced-colors: active) { button[aria-pressed="true"] { forced-color-adjust: none; background: Highlight;
      color: HighlightText; } }`;

  const host = document.createElement("zeroten-survey");
  const root = host.attachShadow({ mode: "open" });
  if (!inline) host.className = "corner";
  if (theme === "light" || theme === "dark") host.dataset.theme = theme;
  addStyle();

  const title = make("h2");
  const progress = make("p");
  const marks = make("div", { className: "marks", ariaHidden: "true", hidden: true });
  const close = make("button", { type: "button", className: "plain close", textContent: "×", onclick: leave });
  const said = make("div", { className: "said" });
  const form = make("form", { onsubmit: (event) => event.preventDefault() });
  const notice = make("p", { className: "notice", role: "status" });
  const card = make("section", { className: "card" });
  card.append(make("header", {}, picture(), title, marks, progress, inline ? null : close), said, form, notice);
  card.addEventListener("keydown", (event) => event.key === "Escape" && !inline && leave());

  let labels = {};
  let turn = 0;
  let longest = 2000;
  let busy = false;

  /** What survives a reload of the page: an unsent answer, a draft, and that the survey was closed. */
  const memory = {
    key: `zeroten:${token.slice(-24)}`,
    all() {
      try {
        return JSON.parse(sessionStorage.getItem(this.key)) || {};
      } catch {
        return {};
      }
    },
    keep(changes) {
      try {
        sessionStorage.setItem(this.key, JSON.stringify({ ...this.all(), ...changes }));
      } catch {
        // A page without storage still has its survey; only a reload forgets the draft.
      }
    },
  };

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    if (properties.role) element.setAttribute("role", properties.role);
    element.append(...children.filter((child) => child != null));
    return element;
  }

  function addStyle() {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS_TEXT);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(make("style", { textContent: CSS_TEXT }));
    }
  }

  function picture() {
    return logo ? make("img", { src: logo, alt: "", referrerPolicy: "no-referrer" }) : null;
  }

  /** The page's colour, with black or white on it: one of them always has a contrast of 4.5. */
  function paint() {
    if (!color || !CSS.supports("color", color)) return;
    const canvas = make("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    canvas.fillStyle = "#fff";
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    card.style.setProperty("--accent", color);
    card.style.setProperty("--on-accent", light > 0.179 ? "#000" : "#fff");
  }

  const band = (score) => (score >= 9 ? "promoter" : score >= 7 ? "passive" : "detractor");
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  /** Waits, but not beyond the moment the connection comes back. */
  function pauseOffline(ms) {
    return new Promise((done) => {
      const timer = setTimeout(finish, ms);
      function finish() {
        clearTimeout(timer);
        removeEventListener("online", finish);
        done();
      }
      addEventListener("online", finish);
    });
  }

  async function post(message) {
    const metadata = { widget: true };
    if (message) metadata.turn = turn;
    else if (language) metadata.language = language;
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort(), ANSWER_WITHIN_MS);
    try {
      const answer = await fetch(endpoint, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ sender: token, message, metadata }),
        credentials: "omit",
        signal: gone.signal,
      });
      return { status: answer.status, retry: Number(answer.headers.get("Retry-After")), body: await answer.json() };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Posts until it is answered. The turn's number makes a repetition harmless. */
  async function deliver(message) {
    for (let wait = 1000; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      let answer = null;
      try {
        answer = await post(message);
      } catch {
        // No connection, or no answer in time.
      }
      if (answer && answer.status < 500 && answer.status !== 429) {
        notice.textContent = "";
        return answer;
      }
      notice.textContent = (answer ? labels.failed : labels.offline) || "";
      await pauseOffline(answer?.retry > 0 ? answer.retry * 1000 : wait);
    }
  }

  async function answer(message, chosen) {
    if (busy) return;
    busy = true;
    form.setAttribute("aria-busy", "true");
    memory.keep({ unsent: { turn, message } });
    const [reply] = await Promise.all([deliver(message), pause(chosen ? SHOW_CHOICE_MS : 0)]);
    busy = false;
    form.removeAttribute("aria-busy");
    memory.keep({ unsent: null, draft: null });
    if (reply.status === 200) show(reply.body);
    else notice.textContent = labels.failed || reply.body.detail;
  }

  function show(replies) {
    const last = replies[replies.length - 1] || {};
    const custom = last.custom || { done: true };
    const focused = root.activeElement !== null;
    learn(custom);
    progress.textContent = custom.progress
      ? fill(labels.progress, { current: custom.progress[0], total: custom.progress[1] })
      : "";
    showScore(custom.score);
    // What has the focus is read by itself; what changes elsewhere is announced.
    said.ariaLive = focused ? "off" : "polite";
    const texts = replies.filter((reply) => reply.text).map((reply) => make("p", { textContent: reply.text, dir: "auto" }));
    said.replaceChildren(...texts);
    if (custom.done && custom.score != null) said.prepend(make("strong", { textContent: labels.thank_you }));
    const question = said.lastElementChild;
    if (question) Object.assign(question, { id: "question", tabIndex: -1 });
    form.replaceChildren(...controls(custom.kind, last.buttons || []));
    if (focused) (question || card).focus();
  }

  function learn(custom) {
    turn = custom.turn ?? turn;
    if (!custom.labels) return;
    labels = custom.labels;
    longest = custom.longest;
    card.lang = custom.locale;
    card.ariaLabel = title.textContent = labels.title;
    close.ariaLabel = labels.close;
  }

  function showScore(score) {
    marks.hidden = score == null;
    const row = Array.from({ length: 11 }, (_, number) => make("i"));
    if (score != null) row[score].dataset.band = band(score);
    marks.replaceChildren(...row);
  }

  function controls(kind, buttons) {
    if (!kind) return [];
    const stop = make("button", {
      type: "button", className: "plain stop", textContent: labels.stop, onclick: () => answer("stop"),
    });
    if (kind === "score") return [...scale(buttons), stop];
    if (kind === "comment") return [...comment(buttons), stop];
    return [choices(buttons), stop];
  }

  function choose(button, payload, name) {
    if (busy) return;
    button.ariaPressed = "true";
    if (name) button.dataset.band = name;
    answer(payload, true);
  }

  function scale(buttons) {
    const ends = [`${buttons[0].title} · ${labels.scale_low}`, `${buttons[buttons.length - 1].title} · ${labels.scale_high}`];
    const row = make("div", { className: "scale", role: "group", ariaLabel: labels.scale });
    for (const { title: name, payload } of buttons) {
      const button = make("button", { type: "button", textContent: name, ariaPressed: "false" });
      button.onclick = () => choose(button, payload, band(Number(payload)));
      row.append(button);
    }
    row.firstChild.ariaLabel = `${buttons[0].title}, ${labels.scale_low}`;
    row.lastChild.ariaLabel = `${buttons[buttons.length - 1].title}, ${labels.scale_high}`;
    row.onkeydown = (event) => {
      const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      const next = step && [...row.children][[...row.children].indexOf(root.activeElement) + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
    };
    return [row, make("div", { className: "ends", ariaHidden: "true" }, ...ends.map((end) => make("span", { textContent: end })))];
  }

  function choices(buttons) {
    const row = make("div", { className: "row choices", role: "group" });
    row.setAttribute("aria-labelledby", "question");
    for (const { title: name, payload } of buttons) {
      const button = make("button", { type: "button", textContent: name, ariaPressed: "false" });
      button.onclick = () => choose(button, payload);
      row.append(button);
    }
    return row;
  }

  function comment(buttons) {
    const box = make("textarea", { rows: 2, maxLength: longest, placeholder: labels.placeholder, dir: "auto" });
    box.setAttribute("aria-labelledby", "question");
    box.setAttribute("aria-describedby", "count");
    const count = make("p", { className: "count", id: "count" });
    const [skip] = buttons;
    const grow = () => {
      box.style.height = "auto";
      box.style.height = `${box.scrollHeight + 2}px`;
      const left = longest - box.value.length;
      count.textContent = fill(labels.characters_left, { count: left.toLocaleString(card.lang || undefined) });
      count.ariaLive = left <= FEW_LEFT ? "polite" : "off";
    };
    const send = () => (box.value.trim() || !skip ? answer(box.value) : answer(skip.payload));
    const { draft } = memory.all();
    if (draft?.turn === turn) box.value = draft.text;
    box.oninput = () => {
      grow();
      memory.keep({ draft: { turn, text: box.value } });
    };
    box.onkeydown = (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      send();
    };
    requestAnimationFrame(grow);
    const row = make("div", { className: "row" }, make("button", { type: "submit", className: "send", textContent: labels.send }));
    if (skip) {
      const { title: name, payload } = skip;
      row.append(make("button", { type: "button", className: "plain", textContent: name, onclick: () => answer(payload) }));
    }
    return [box, count, row];
  }

  function leave() {
    memory.keep({ closed: true });
    host.remove();
  }

  async function begin() {
    const { closed, unsent } = memory.all();
    if (closed && !inline) return;
    const first = await deliver("");
    const custom = first.status === 200 ? first.body[first.body.length - 1]?.custom : null;
    if (!inline && (!custom || custom.done)) return;
    place();
    paint();
    root.append(card);
    show(custom ? first.body : [{ text: first.body.detail }]);
    if (custom && unsent && unsent.turn === turn) answer(unsent.message);
  }

  function place() {
    if (inline && document.body.contains(script)) script.after(host);
    else document.body.append(host);
  }

  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin, { once: true });
})();
