// The console: what the device sees and hears now, and teaching it. Text from the device is only ever set as text.
const byId = (id) => document.getElementById(id);
const make = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text ?? "" }, more);
const percent = (value) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
const RENEW_MS = 400; // a held button says so this often; the device lets go after 2 s without

class Refused extends Error {}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (response.status === 401) throw new Refused(answer.error);
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

class Pipeline {
  constructor(name, state) {
    this.name = name;
    this.kind = state.kind;
    this.path = `api/pipelines/${name}`;
    this.root = byId("pipeline").content.firstElementChild.cloneNode(true);
    this.root.dataset.pipeline = name;
    this.find(".train").onclick = () => this.train();
    this.find(".undo").onclick = () => this.act("undo", {});
    this.find(".back").onclick = () => this.act("roll-back", {}).then(() => this.listGenerations());
    this.find(".gallery").ontoggle = () => this.listExamples();
    this.find(".generations").ontoggle = () => this.listGenerations();
    this.find(".new").onsubmit = (event) => {
      event.preventDefault();
      const input = this.find(".new input");
      this.act("label", { label: input.value }).then((done) => { if (done) input.value = ""; });
    };
    this.serial = 0;
    this.buttons = new Map();
    this.bars = new Map();
    this.find("h2").textContent = `${name} · ${state.profile}`;
    this.picture();
    this.show(state);
    this.settings(state.tuning);
  }

  find(selector) { return this.root.querySelector(selector); }

  async act(action, body) {
    try {
      const state = await ask(`${this.path}/${action}`, body);
      this.show(state);
      if (this.find(".gallery").open && action !== "record") this.listExamples();
      return state;
    } catch (error) {
      if (error instanceof Refused) login();
      this.said(error.message);
      return null;
    }
  }

  said(line) { this.find(".said").textContent = line; }

  // The next picture is asked for when the one before is there, so that a slow network slows the picture only.
  picture() {
    const image = this.find(".live");
    let number = 0;
    const next = () => { if (!document.hidden) image.src = `${this.path}/picture.jpg?${number++}`; };
    image.onload = () => setTimeout(next, 100);
    image.onerror = () => setTimeout(next, 2000);
    document.addEventListener("visibilitychange", next);
    next();
  }

  show(state) {
    if (state.serial < this.serial) return; // an older answer came later
    this.serial = state.serial;
    this.generation = state.generation;
    this.classes(state.counts);
    const troubles = [state.fault, state.teaching === "ready" ? "" : state.teaching].filter(Boolean);
    this.find(".fault").textContent = troubles.join(" · ");
    if (state.prompt || state.said) this.said(state.prompt || state.said);
    this.probabilities(state.probabilities);
    const level = this.find(".level");
    level.hidden = state.level_db === null;
    if (state.level_db !== null) level.value = state.level_db;
    this.find(".label").textContent = state.label ?? (state.known ? "" : "none of these");
    for (const [label, button] of this.buttons) button.classList.toggle("on", state.recording === label);
  }

  classes(counts) {
    const list = this.find(".classes");
    for (const [label, button] of this.buttons) {
      if (!(label in counts)) { button.closest("li").remove(); this.buttons.delete(label); }
    }
    for (const [label, [examples, takes]] of Object.entries(counts)) {
      if (!this.buttons.has(label)) list.append(this.button(label));
      const what = this.kind === "sound" ? "recordings" : "examples";
      this.buttons.get(label).querySelector("small").textContent = `${examples} ${what}, ${takes} takes`;
    }
  }

  button(label) {
    const item = byId("class").content.firstElementChild.cloneNode(true);
    const button = item.querySelector(".hold");
    button.querySelector("b").textContent = label;
    button.setAttribute("aria-label", `${this.kind === "sound" ? "press and say" : "hold to record"} ${label}`);
    let timer = null;
    // One after the other: a "record" that overtook the "release" would press the button again.
    let last = Promise.resolve();
    const send = (action, body) => { last = last.then(() => this.act(action, body)); };
    const hold = (event) => {
      event.preventDefault();
      if (timer !== null) return;
      send("record", { label });
      if (this.kind === "sound") return;
      timer = setInterval(() => send("record", { label }), RENEW_MS);
    };
    const release = () => {
      if (timer === null) return;
      clearInterval(timer);
      timer = null;
      send("release", {});
    };
    button.addEventListener("pointerdown", (event) => { button.setPointerCapture(event.pointerId); hold(event); });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(end, release);
    button.addEventListener("keydown", (event) => { if (event.key === " " || event.key === "Enter") hold(event); });
    button.addEventListener("keyup", release);
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    item.querySelector(".forget").onclick = () => {
      if (confirm(`Delete ${label} and all its examples?`)) this.act("forget-label", { label });
    };
    this.buttons.set(label, button);
    return item;
  }

  probabilities(all) {
    const box = this.find(".bars");
    for (const [label, bar] of this.bars) if (!(label in all)) { bar.remove(); this.bars.delete(label); }
    for (const [label, value] of Object.entries(all)) {
      if (!this.bars.has(label)) {
        const bar = make("div", "", { className: "bar" });
        const text = make("span");
        text.append(make("span", label), make("span"));
        bar.append(make("i"), text);
        box.append(bar);
        this.bars.set(label, bar);
      }
      const bar = this.bars.get(label);
      bar.firstChild.style.width = `${100 * value}%`;
      bar.lastChild.lastChild.textContent = percent(value);
    }
  }

  async train() {
    const button = this.find(".train");
    button.disabled = true;
    this.said("training …");
    const done = await this.act("train", {});
    button.disabled = false;
    if (!done) return;
    this.said(`trained on ${done.examples} examples in ${done.train_ms} ms: generation ${done.generation}`);
    const result = this.find(".result");
    result.replaceChildren();
    const best = done.evaluation.headline;
    if (best.accuracy !== null) {
      const [low, high] = best.interval95.map(percent);
      result.append(make("p", `${percent(best.accuracy)} right (95 % interval ${low} to ${high}), by ${best.method}`));
    }
    if (done.curve.length > 1) result.append(curve(done.curve));
    if (this.find(".generations").open) this.listGenerations();
  }

  async listExamples() {
    if (!this.find(".gallery").open) return;
    const { total, examples } = await ask(`${this.path}/examples`);
    const shown = this.find(".gallery .shown");
    shown.textContent = total > examples.length ? `the newest ${examples.length} of ${total}` : `${total}`;
    this.find(".gallery ul").replaceChildren(...examples.map((one) => {
      const item = make("li");
      const remove = make("button", "×", { title: "delete this example" });
      remove.setAttribute("aria-label", `delete example ${one.id} of ${one.label}`);
      remove.onclick = () => this.act("forget", { ids: [one.id] });
      if (one.media) {
        const image = make("img", "", { src: `${this.path}/examples/${one.id}.jpg`, alt: one.label, loading: "lazy" });
        if (one.media === "audio/wav") image.onclick = () => new Audio(`${this.path}/examples/${one.id}.wav`).play();
        item.append(image);
      }
      item.append(make("small", one.label), remove);
      return item;
    }));
  }

  async listGenerations() {
    if (!this.find(".generations").open) return;
    const all = await ask(`${this.path}/generations`);
    this.find(".generations ol").replaceChildren(...all.map((one) => {
      const when = one.time_s ? new Date(1000 * one.time_s).toLocaleString() : "damaged";
      const how = one.accuracy === null ? "" : `, ${percent(one.accuracy)} right`;
      const state = one.number === this.generation ? ", in use" : one.rolled_back ? ", set aside" : "";
      return make("li", `generation ${one.number}: ${when}, ${one.head ?? "?"}${how}${state}`, { value: one.number });
    }));
    this.find(".back").disabled = all.filter((one) => one.ok && !one.rolled_back).length < 2;
  }

  settings(tuning) {
    const names = this.kind === "sound" ? ["threshold"] : ["on", "off", "smoothing_s"];
    const told = {
      threshold: "a word is told from this probability on", on: "a sign begins at", off: "a sign ends below",
      smoothing_s: "smoothing, seconds",
    };
    const form = this.find(".tuning form");
    for (const name of names) {
      const label = make("label", told[name]);
      const most = name === "smoothing_s" ? 60 : 1;
      label.append(make("input", "", {
        name, type: "number", min: 0, max: most, step: "any", value: tuning[name] ?? "", placeholder: "as configured",
      }));
      form.append(label);
    }
    form.append(make("button", "Use"));
    form.onsubmit = async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(
        names.map((name) => [name, form.elements[name].value === "" ? null : Number(form.elements[name].value)]));
      if (await this.act("tune", values)) this.said("the settings are in use, also after a restart");
    };
  }
}

// Loss over epochs; the points are [epoch, loss, accuracy].
function curve(points) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 300 80");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `loss from ${points[0][1].toFixed(3)} to ${points.at(-1)[1].toFixed(3)}`);
  const most = Math.max(...points.map((point) => point[1]), 1e-9);
  const line = document.createElementNS(space, "polyline");
  const at = (point, index) => `${(300 * index) / (points.length - 1)},${78 - (76 * point[1]) / most}`;
  line.setAttribute("points", points.map(at).join(" "));
  line.setAttribute("fill", "none");
  line.setAttribute("stroke", "currentColor");
  svg.append(line);
  return svg;
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

function flat(value, path = "") {
  if (value === null || typeof value !== "object") return [[path, String(value)]];
  if (Array.isArray(value)) return [[path, value.join(", ")]];
  return Object.entries(value).flatMap(([name, one]) => flat(one, path ? `${path} · ${name}` : name));
}

async function showHealth() {
  if (!byId("health").open) return;
  const health = await ask("health").catch(() => ({ status: "the device does not answer" }));
  byId("health").querySelector("dl").replaceChildren(
    ...flat(health).flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
}
byId("health").ontoggle = showHealth;
setInterval(showHealth, 3000);

const pipelines = new Map();

function status(line, bad) {
  byId("status").textContent = line;
  byId("status").classList.toggle("bad", bad);
}

let stream = null;

async function start() {
  try {
    const state = await ask("api/state");
    byId("login").hidden = true;
    pipelines.clear();
    byId("pipelines").replaceChildren(...Object.entries(state.pipelines).map(([name, one]) => {
      pipelines.set(name, new Pipeline(name, one));
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
    const one = pipelines.get(told.source);
    if (one?.kind === "sound" && told.label !== null) one.said(`heard ${told.label} (${percent(told.confidence)})`);
  });
}

start();
