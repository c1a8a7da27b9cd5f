// The console: logs in, keeps the connection, and shows health. A pipeline looks after itself in pipeline.js.
import { Busy, Refused, ask, health as askHealth } from "./ask.js";
import { facts, make } from "./draw.js";
import { Pipeline } from "./pipeline.js";

const byId = (id) => document.getElementById(id);
const pipelines = new Map();

function forget() {
  for (const one of pipelines.values()) one.leave();
  pipelines.clear();
}

const LOST_MS = 3000, AGAIN_MS = 6000; // without any event; the device sends one five times a second, or says that it is busy
let stream = null, built = "", heard = 0, timer = null;

function status(line, how) {
  if (byId("status").textContent !== line) byId("status").textContent = line; // it is read out when it changes
  for (const one of ["bad", "busy"]) byId("status").classList.toggle(one, one === how);
}

// What is shown is old.
function lost(line = "connection lost; trying again") {
  document.body.classList.add("lost");
  status(line, "bad");
}

function live() {
  heard = performance.now();
  document.body.classList.remove("lost");
  status("live");
}

// Not lost, but nothing can be seen or asked now.
function busy(doing) {
  heard = performance.now();
  document.body.classList.add("lost");
  status(doing ? `${doing} …` : "busy …", "busy");
}

function login() { byId("login").hidden = false; byId("token").focus(); }

byId("login").onsubmit = async (event) => {
  event.preventDefault();
  try {
    await ask("api/login", { token: byId("token").value });
    byId("token").value = "";
    byId("login").hidden = true;
    byId("refused").textContent = "";
    start();
  } catch (error) { byId("refused").textContent = error.message; }
};

byId("leave").onclick = async () => {
  try { await ask("api/logout", {}); } catch (error) { status(error.message, "bad"); return; }
  end();
  forget();
  built = "";
  byId("pipelines").replaceChildren();
  byId("leave").hidden = true;
  document.body.classList.remove("lost");
  status("logged out");
  login();
};

function end() {
  stream?.close();
  stream = null;
  clearTimeout(timer);
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(start, 2000);
}

async function start() {
  end();
  let state;
  try { state = await ask("api/state"); } catch (error) {
    if (error instanceof Refused) {
      document.body.classList.remove("lost");
      status("enter the token", "bad");
      login();
      return;
    }
    if (error instanceof Busy && error.here) busy(""); else lost(`${error.message}; trying again`);
    later();
    return;
  }
  byId("login").hidden = true;
  byId("leave").hidden = !state.guarded;
  build(state);
  connect();
}

// The page stays as it is where the same pipelines are there again: what was opened and typed is kept.
function build(state) {
  const now = JSON.stringify([state.fleet, Object.entries(state.failed).map(([name, one]) => [name, one.fault]), ...Object.entries(state.pipelines).map(([name, one]) => [name, one.kind, one.profile])]);
  if (now === built) {
    for (const [name, one] of pipelines) one.again(state.pipelines[name]);
    return;
  }
  built = now;
  forget();
  byId("pipelines").replaceChildren(...Object.entries(state.failed).map(([name, one]) => failed(name, one.fault)),
    ...Object.entries(state.pipelines).map(([name, one]) => {
      pipelines.set(name, new Pipeline(name, one, login, name === state.fleet));
      return pipelines.get(name).root;
    }));
}

// One that could not be opened: the device does all else, and tries again.
function failed(name, why) {
  const card = make("section", "", { className: "card pipeline failed" });
  card.append(make("h2", name), make("p", `could not be opened: ${why}`, { className: "fault" }),
    make("p", "Once that is fixed it starts by itself, within five minutes.", { className: "quiet" }));
  return card;
}

function connect() {
  stream = new EventSource("api/events?live=1");
  heard = performance.now();
  let opened = false;
  stream.onopen = () => {
    if (opened) start(); // it may be another start of the service, which counts anew
    opened = true;
  };
  stream.onerror = () => {
    lost();
    if (stream.readyState === EventSource.CLOSED) later();
  };
  stream.addEventListener("live", (event) => {
    live();
    const now = Object.entries(JSON.parse(event.data));
    if (now.some(([name]) => !pipelines.has(name))) return start(); // one that could not be opened is there now
    for (const [name, state] of now) pipelines.get(name).live(state);
  });
  stream.addEventListener("busy", (event) => busy(JSON.parse(event.data).doing));
  stream.addEventListener("event", (event) => {
    const told = JSON.parse(event.data);
    pipelines.get(told.source)?.told(told);
  });
}

// A network that is gone says nothing at all: only the silence tells.
setInterval(() => {
  if (!stream || stream.readyState === EventSource.CLOSED) return;
  const silent_ms = performance.now() - heard;
  if (silent_ms > LOST_MS) lost();
  if (silent_ms > AGAIN_MS) start();
}, 500);

function titled(name, rows) {
  const box = make("div");
  box.append(make("h3", name), facts(rows));
  return box;
}

const hours = (seconds) => (seconds < 7200 ? `${Math.round(seconds / 60)} min` : seconds < 172800
  ? `${(seconds / 3600).toFixed(1)} h` : `${Math.round(seconds / 86400)} days`);

async function showHealth() {
  if (!byId("health").open) return;
  const health = await askHealth().catch((error) => ({ status: error.message }));
  const boxes = [], machine = health.machine;
  const limited = (list) => (list === null ? null : list.join(", ") || "no");
  boxes.push(titled("Service", [["status", health.status], ...(machine ? [
    ["up", hours(health.uptime_s)], ["events reported", health.events],
    ["memory", machine.memory_mib && `${machine.memory_mib.toFixed(0)} MiB`],
    ["temperature", machine.temperature_c === null ? "not available" : `${machine.temperature_c.toFixed(0)} °C`],
    ["limited now", limited(machine.limited_now)], ["limited since start", limited(machine.limited_since_start)]] : [])]));
  for (const [name, one] of Object.entries(health.pipelines ?? {})) {
    const took = one.latency_p50_ms === null ? null : `${one.latency_p50_ms} ms, 95 % within ${one.latency_p95_ms} ms`;
    boxes.push(titled(name, [
      ["source", `${one.source} (${one.state})`], [one.kind === "sound" ? "windows" : "frames", `${one.frames_per_s} a second`],
      ["latency", took], ["blocks lost", one.kind === "sound" && one.dropped], ["generation", one.generation || "none yet"],
      ["look", [one.look, one.looking].filter(Boolean).join(": ")], ["teaching", one.teaching], ["fault", one.fault], ["last error", one.last_error]]));
  }
  const outputs = Object.entries(health.outputs ?? {});
  if (outputs.length) {
    boxes.push(titled("Outputs", outputs.map(([name, one]) => [name, [one.state, one.address, one.error].filter(Boolean).join(" · ")])));
  }
  byId("health").querySelector("div").replaceChildren(...boxes);
}
byId("health").ontoggle = showHealth;
setInterval(showHealth, 3000);

start();
