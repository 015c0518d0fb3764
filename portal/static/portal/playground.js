// The playground: one WebSocket, one conversation. Everything a model or the gateway says is put into the page as
// text, never as markup. The key lives in sessionStorage, that is, in this tab only.

import { render } from "./markup.js";

const STORED_KEY = "gateway-key";
const STORED_MODEL = "gateway-model";
const CLOSED = {
  1009: "That was too large for one message.",
  1012: "The gateway is restarting.",
  4401: "The key was not accepted.",
  4403: "This key may not be used for chatting.",
  4408: "The connection was idle for too long.",
};
const RUNNING_COST_TITLE = "An estimate until the answer is whole";

const page = (id) => document.getElementById(id);
const keyForm = page("key-form");
const composer = page("composer");
const log = page("log");

let socket = null;
let refused = ""; // why the gateway is about to close the socket
let ready = false;
let conversing = false; // a turn has joined the conversation on the server
let turn = null; // the answer under way
let turnText = ""; // its question, given back where it fails
let sendWhenReady = false; // the connection was lost; what is in the box goes out once it is back
let nextId = 1;

function connect(key) {
  ready = false;
  refused = "";
  showStatus("Connecting…");
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(`${scheme}//${location.host}${document.querySelector("[data-socket]").dataset.socket}`);
  socket = opened;
  opened.addEventListener("open", () => opened.send(JSON.stringify({ type: "authenticate", key })));
  opened.addEventListener("message", (message) => {
    if (socket === opened) hear(JSON.parse(message.data), key);
  });
  opened.addEventListener("close", (event) => {
    if (socket === opened) lose(event);
  });
}

function disconnect() {
  const old = socket;
  socket = null;
  ready = false;
  if (old) old.close();
}

function say(frame) {
  socket.send(JSON.stringify(frame));
}

function hear(frame, key) {
  switch (frame.type) {
    case "ready":
      return begin(frame, key);
    case "started":
      return turn && turn.start(frame);
    case "delta":
      return turn && turn.grow(frame);
    case "done":
      conversing = true;
      return settle(frame, "");
    case "cancelled":
      return settle(frame, "Stopped: not part of the conversation");
    case "error":
      return fail(frame);
  }
}

function begin(frame, key) {
  sessionStorage.setItem(STORED_KEY, key);
  ready = true;
  conversing = false;
  fillModels(frame.models);
  keyForm.hidden = true;
  composer.hidden = false;
  page("reset").disabled = false;
  showTotal("0");
  showStatus("Connected");
  hideAlert();
  page("message").focus();
  if (log.lastElementChild) addDivider();
  if (sendWhenReady) composer.requestSubmit();
  sendWhenReady = false;
}

function lose(event) {
  const why = refused || CLOSED[event.code] || "The connection was lost.";
  const known = ready;
  socket = null;
  ready = false;
  sendWhenReady = false;
  if (turn) endTurn("Interrupted: not part of the conversation");
  showStatus("Not connected");
  if (event.code === 4401 || event.code === 4403 || !known) {
    askForKey();
    showAlert(why);
  } else {
    showAlert(`${why} Your next message begins a new conversation.`);
  }
}

function askForKey() {
  sessionStorage.removeItem(STORED_KEY);
  composer.hidden = true;
  keyForm.hidden = false;
  page("reset").disabled = true;
  page("key").focus();
}

// One question and its answer.
class Turn {
  constructor(text) {
    this.id = `turn-${nextId++}`;
    this.began = performance.now();
    this.text = "";
    this.question = addItem("question", text);
    this.answer = addItem("answer", "");
    this.answer.setAttribute("aria-busy", "true");
    this.bubble = this.answer.querySelector(".bubble");
    this.facts = document.createElement("div");
    this.facts.className = "facts";
    this.answer.append(this.facts);
    this.cost = this.fact("cost", "");
    scrollDown();
  }

  fact(kind, text, title) {
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    if (title) span.title = title;
    this.facts.append(span);
    return span;
  }

  start(frame) {
    this.target = this.fact("target", frame.target);
  }

  grow(frame) {
    const follow = atBottom();
    this.first ??= performance.now() - this.began;
    this.append(frame.content ?? frame.refusal ?? "");
    if (frame.reasoning) this.appendAside(frame.reasoning);
    for (const call of frame.tool_calls ?? []) this.appendCall(call);
    this.cost.textContent = frame.cost_usd === null ? "no price" : `≈ $${frame.cost_usd}`;
    this.cost.title = RUNNING_COST_TITLE;
    if (follow) scrollDown();
  }

  append(text) {
    if (!text) return;
    this.text += text;
    this.aside = null;
    this.bubble.append(text);
  }

  appendAside(text) {
    this.rich = true;
    if (!this.aside) {
      this.aside = document.createElement("span");
      this.aside.className = "aside";
      this.bubble.append(this.aside);
    }
    this.aside.append(text);
  }

  appendCall(call) {
    const named = call.function?.name;
    if (named) this.appendAside(`${this.text || this.aside ? "\n" : ""}calls ${named} `);
    if (call.function?.arguments) this.appendAside(call.function.arguments);
  }

  settle(frame) {
    this.cost.textContent = frame.cost_usd === null ? "no price" : `$${frame.cost_usd}`;
    this.cost.title = "What the ledger says";
    if (frame.usage) {
      const about = frame.usage.estimated ? "≈ " : "";
      this.fact("tokens", `${about}${frame.usage.input_tokens} in, ${frame.usage.output_tokens} out`, "Tokens");
    }
    if (this.first !== undefined) this.fact("first", `first token ${milliseconds(this.first)}`);
    this.fact("latency", `total ${milliseconds(performance.now() - this.began)}`);
    if (frame.attempts > 1) this.fact("attempts", `${frame.attempts} attempts`);
    if (frame.finish_reason && frame.finish_reason !== "stop") this.fact("finish", `ended by ${frame.finish_reason}`);
    const id = frame.request_id ?? frame.error?.request_id;
    if (id) this.fact("id", id, `Request ${id}`);
  }

  end(note) {
    this.answer.setAttribute("aria-busy", "false");
    if (note) {
      this.question.classList.add("dropped");
      this.answer.classList.add("dropped");
      const span = this.fact("note", note);
      this.facts.prepend(span);
    } else if (this.text && !this.rich) {
      this.bubble.replaceChildren(...render(this.text));
    }
  }
}

function ask(text) {
  const messages = [];
  const system = page("system").value.trim();
  if (system && !conversing) messages.push({ role: "system", content: system });
  messages.push({ role: "user", content: text });
  turn = new Turn(text);
  const frame = { type: "chat", id: turn.id, model: page("model").value, messages };
  if (page("max-tokens").value) frame.max_tokens = Number(page("max-tokens").value);
  if (page("temperature").value) frame.parameters = { temperature: Number(page("temperature").value) };
  say(frame);
  showAnswering(true);
}

function settle(frame, note) {
  if (!turn) return;
  turn.settle(frame);
  showTotal(frame.conversation_cost_usd);
  endTurn(note);
}

function fail(frame) {
  const { message, code } = frame.error;
  if (frame.id && turn && frame.id === turn.id) {
    turn.settle({ cost_usd: "0", ...frame });
    if (frame.conversation_cost_usd !== undefined) showTotal(frame.conversation_cost_usd);
    endTurn("Failed: not part of the conversation");
    page("message").value ||= turnText;
  }
  if (code === "nothing_to_cancel") return; // the answer was quicker than the button
  refused = message;
  showAlert(`${message}${frame.retryable ? " You can try again." : ""} (${code})`);
}

function endTurn(note) {
  const follow = atBottom();
  turn.end(note);
  turn = null;
  showAnswering(false);
  if (follow) scrollDown();
}

function addItem(kind, text) {
  const item = document.createElement("li");
  item.className = kind;
  const who = document.createElement("span");
  who.className = "visually-hidden";
  who.textContent = kind === "question" ? "You: " : "Model: ";
  const bubble = document.createElement("div");
  bubble.className = "bubble";
  bubble.textContent = text;
  item.append(who, bubble);
  log.append(item);
  return item;
}

function addDivider() {
  const item = document.createElement("li");
  item.className = "divider";
  item.textContent = "A new conversation begins here";
  log.append(item);
}

function fillModels(names) {
  const select = page("model");
  const wanted = select.value || sessionStorage.getItem(STORED_MODEL);
  select.replaceChildren(...names.map((name) => new Option(name, name)));
  if (names.includes(wanted)) select.value = wanted;
  if (names.length === 0) showAlert("This key may use no model. Add a route in the admin.");
}

function milliseconds(value) {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

function atBottom() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 60;
}

function scrollDown() {
  log.scrollTop = log.scrollHeight;
}

function showAnswering(answering) {
  page("send").hidden = answering;
  page("stop").hidden = !answering;
  page("reset").disabled = answering || !ready;
  showStatus(answering ? "Answering…" : ready ? "Connected" : "Not connected");
}

function showStatus(text) {
  page("status").textContent = text;
}

function showTotal(cost) {
  page("total").textContent = cost === null ? "unknown" : `$${cost}`;
}

function showAlert(text) {
  const follow = atBottom();
  page("alert-text").textContent = text;
  page("alert").hidden = false;
  if (follow) scrollDown();
}

function hideAlert() {
  page("alert").hidden = true;
}

function stop() {
  if (turn && ready) say({ type: "cancel" });
}

keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  hideAlert();
  connect(page("key").value.trim());
  page("key").value = "";
});

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = page("message").value;
  if (turn || !text.trim()) return;
  if (!ready) {
    const key = sessionStorage.getItem(STORED_KEY);
    if (!key) return askForKey();
    sendWhenReady = true;
    return socket ? undefined : connect(key);
  }
  hideAlert();
  turnText = text;
  page("message").value = "";
  ask(text);
});

page("message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    composer.requestSubmit();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stop();
});

page("stop").addEventListener("click", stop);
page("alert-close").addEventListener("click", hideAlert);
page("model").addEventListener("change", () => sessionStorage.setItem(STORED_MODEL, page("model").value));

page("reset").addEventListener("click", () => {
  log.replaceChildren();
  say({ type: "reset" });
});

page("forget").addEventListener("click", () => {
  disconnect();
  log.replaceChildren();
  page("options").removeAttribute("open");
  askForKey();
});

const remembered = sessionStorage.getItem(STORED_KEY);
if (remembered) connect(remembered);
else page("key").focus();
