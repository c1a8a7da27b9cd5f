// The console: logs in, keeps the connection, and shows health. A pipeline looks after itself in pipeline.js.
import { Refused, ask } from "./ask.js";
import { facts, make } from "./draw.js";
import { Pipeline } from "./pipeline.js";

const byId = (id) => document.getElementById(id);
const pipelines = new Map();

function forget() {
  for (const one of pipelines.values()) one.leave();
  pipelines.clear();
}

let stream = null;

function status(line, bad) {
  byId("status").textContent = line;
  byId("status").classList.toggle("bad", bad);
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
  await ask("api/logout", {});
  stream?.close();
  forget();
  byId("pipelines").replaceChildren();
  byId("leave").hidden = true;
  status("logged out", false);
  login();
};

async function start() {
  try {
    const state = await ask("api/state");
    byId("login").hidden = true;
    byId("leave").hidden = !state.guarded;
    forget();
    byId("pipelines").replaceChildren(...Object.entries(state.pipelines).map(([name, one]) => {
      pipelines.set(name, new Pipeline(name, one, login));
      return pipelines.get(name).root;
    }));
  } catch (error) {
    if (error instanceof Refused) { status("the token is wanted", true); login(); return; }
    status("the device does not answer; trying again", true);
    setTimeout(start, 2000);
    return;
  }
  stream?.close();
  stream = new EventSource("api/events?live=1");
  stream.onopen = () => status("live", false);
  stream.onerror = () => {
    status("connection lost; trying again", true);
    if (stream.readyState === EventSource.CLOSED) setTimeout(start, 2000);
  };
  stream.addEventListener("live", (event) => {
    for (const [name, state] of Object.entries(JSON.parse(event.data))) pipelines.get(name)?.show(state);
  });
  stream.addEventListener("event", (event) => {
    const told = JSON.parse(event.data);
    pipelines.get(told.source)?.told(told);
  });
}

function titled(name, rows) {
  const box = make("div");
  box.append(make("h3", name), facts(rows));
  return box;
}

const hours = (seconds) => (seconds < 7200 ? `${Math.round(seconds / 60)} min` : seconds < 172800
  ? `${(seconds / 3600).toFixed(1)} h` : `${Math.round(seconds / 86400)} days`);

async function showHealth() {
  if (!byId("health").open) return;
  const health = await ask("api/health").catch(() => ({ status: "the device does not answer" }));
  const boxes = [], machine = health.machine;
  const limited = (list) => (list === null ? null : list.join(", ") || "no");
  boxes.push(titled("Service", [["status", health.status], ...(machine ? [
    ["up", hours(health.uptime_s)], ["events told", health.events],
    ["memory", machine.memory_mib && `${machine.memory_mib.toFixed(0)} MiB`],
    ["temperature", machine.temperature_c === null ? "not told here" : `${machine.temperature_c.toFixed(0)} °C`],
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
    boxes.push(titled("Ways out", outputs.map(([name, one]) => [name, [one.state, one.address, one.error].filter(Boolean).join(" · ")])));
  }
  byId("health").querySelector("div").replaceChildren(...boxes);
}
byId("health").ontoggle = showHealth;
setInterval(showHealth, 3000);

start();
