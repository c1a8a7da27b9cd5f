// One camera or microphone: what it sees or hears now, teaching it, and what became of that.
import { Busy, Refused, answered, ask, fetched } from "./ask.js";
import { bar, curve, fill, make, number, percent } from "./draw.js";
import { Files } from "./files.js";
import { Fleet } from "./fleet.js";
import { Gallery } from "./gallery.js";
import { Marks } from "./marks.js";
import { PhoneCamera } from "./phone.js";
import { result } from "./result.js";

const RENEW_MS = 400; // a held button says so this often; the device lets go after 2 s without
const PICTURE_MS = 10000; // a picture that is not there by then is asked for again
const BEGUN_S = Date.UTC(2026, 10, 1) / 1000; // a clock that shows less is not set
const BARS = 12; // of more classes the likeliest so many are shown
const NOT_SET = "clock not set";
const NOTHING = "nothing"; // the class of movements that means "moving about"
const NOISE = "background noise"; // the class of words that means "nothing was said"
const HEADS = { // what is said of those that the device has
  ridge: "ridge: trains at once and measures its accuracy", softmax: "softmax", mlp: "a small network, with a curve",
  knn: "nearest examples", prototype: "mean of each class",
};

const WAYS = { // and of the ways to look
  frame: "the whole picture", box: "a part of it", hand: "the shape of a hand", "hand-crop": "the cropped hand",
  "hand-and-crop": "the shape of a hand, and the cropped hand",
  face: "the direction of a face", "face-crop": "the cropped face and its direction",
};

export class Pipeline {
  // refused: called where the device asks for the token; learns: whether it learns from other devices.
  constructor(name, state, refused, learns) {
    this.name = name;
    this.kind = state.kind;
    this.sound = state.kind === "sound";
    this.moves = state.kind === "movement";
    this.pressed = this.sound || this.moves; // and not held: a recording ends by itself
    this.minimum = state.enough;
    this.profile = state.profile;
    this.refused = refused;
    this.path = `api/pipelines/${name}`;
    this.root = document.getElementById("pipeline").content.firstElementChild.cloneNode(true);
    this.root.dataset.pipeline = name;
    this.root.classList.toggle("sound", this.sound);
    this.serial = 0;
    this.waiting = null; // the generation before a training whose answer did not come
    this.buttons = new Map();
    this.bars = new Map();
    this.find("h2").textContent = name;
    this.find(".loud").hidden = !this.sound;
    // Movements are shown to the device's camera, and told as their training says.
    for (const part of [".phone", ".model", ".tuning"]) this.find(part).hidden = this.moves;
    this.find(".train").onclick = () => this.train();
    this.find(".undo").onclick = () => this.act("undo", {}).then((done) => done && this.said(
      done.undone ? `deleted ${done.undone[1]} of ${done.undone[0]}` : "there is nothing to undo"));
    this.find(".elsewhere").onclick = () => this.elsewhere();
    this.find(".back").onclick = () => this.another("roll-back", "back");
    this.find(".forward").onclick = () => this.another("roll-forward", "forward");
    this.find(".generations").ontoggle = () => this.listGenerations();
    this.find(".told").ontoggle = () => this.listTold();
    this.find(".new").onsubmit = (event) => {
      event.preventDefault();
      const input = this.find(".new input"), label = input.value;
      this.act("label", { label }).then((done) => { if (done && input.value === label) input.value = ""; }); // the next may be typed
    };
    this.find(".type").hidden = !this.sound;
    this.find(".type").onsubmit = (event) => {
      event.preventDefault();
      const [input, language] = this.root.querySelectorAll(".type input"), word = input.value;
      this.said(`speaking ${word} …`);
      this.act("type", { word, language: language.value.trim() || null }).then((done) => { if (done && input.value === word) input.value = ""; });
    };
    this.late = []; // what was asked while the device was at something long
    this.gallery = new Gallery(this);
    this.files = new Files(this);
    this.phone = new PhoneCamera(this);
    this.marks = new Marks(this);
    this.fleet = new Fleet(this, learns);
    this.find(".stop").onclick = () => this.act("stop-look", {});
    this.picture();
    this.settings(state.tuning, state.heads);
    this.ways(state.ways);
    this.show(state);
  }

  find(selector) { return this.root.querySelector(selector); }

  async act(action, body) {
    try {
      const state = await ask(`${this.path}/${action}`, body);
      this.show(state);
      if (!["record", "train", "tune", "forget"].includes(action)) this.gallery.show();
      return state;
    } catch (error) {
      this.said(this.failed(error));
      return null;
    }
  }

  // What went wrong, in words; where the device asks for the token, that is asked for.
  failed(error) {
    if (error instanceof Refused) this.refused();
    return error.message;
  }

  // What only fills the page is asked again as soon as the device is live.
  later(error, again) {
    if (!(error instanceof Busy && error.here)) return this.said(this.failed(error));
    this.late.push(again);
    this.said("the device is busy: this is shown when it is done");
  }

  // The page goes on without it.
  leave() {
    this.phone.stop();
    this.fleet.leave();
  }

  said(line) { this.find(".said").textContent = line; }

  // The next picture is asked for when the one before is there, so that a slow network slows the picture only. While none
  // comes the last one stays.
  picture() {
    const image = this.find(".live");
    let number = 0, timer = null, asking = false;
    const soon = (ms) => { clearTimeout(timer); timer = setTimeout(next, ms); };
    const next = async () => {
      if (document.hidden || !this.root.isConnected || asking) return;
      asking = true;
      try {
        const response = await fetched(`${this.path}/picture.jpg?${number++}`, {}, PICTURE_MS), before = image.src;
        if (!response.ok) await answered(response);
        image.src = URL.createObjectURL(await response.blob());
        await image.decode();
        URL.revokeObjectURL(before);
        soon(100);
      } catch { soon(2000); } // why, the stream of events says
      asking = false;
    };
    document.addEventListener("visibilitychange", next);
    soon(0);
  }

  // The device was away, and may count its answers anew.
  again(state) {
    this.serial = 0;
    this.live(state);
  }

  // What it does now; a training whose request ended before it did is over then.
  live(state) {
    this.show(state);
    for (const again of this.late.splice(0)) again();
    if (this.waiting !== null) this.afterTraining(state);
  }

  show(state) {
    if (state.serial < this.serial) return; // an older answer came later
    this.serial = state.serial;
    this.generation = state.generation;
    const trained = state.generation ? `generation ${state.generation}` : "not trained yet";
    this.find(".about").textContent = `${this.sound ? "microphone" : "camera"} · profile ${this.profile} · ${trained}`;
    this.classes(state.counts);
    this.marks.show(state.heard, Object.keys(state.counts));
    const troubles = [state.fault, state.teaching === "ready" ? "" : state.teaching].filter(Boolean);
    this.find(".fault").textContent = troubles.join(" · ");
    const told = state.prompt || state.said;
    if (told && told !== this.heard) this.said(told); // once: it must not write over what came after it
    this.heard = told;
    this.looking(state);
    if (!this.phone.on) this.seen(state);
    this.recorded = state.recording;
    const held = this.phone.held?.label ?? state.recording;
    this.root.classList.toggle("recording", held !== null);
    for (const [name, button] of this.buttons) button.classList.toggle("on", held === name);
  }

  // What the device's own camera or microphone sees or hears.
  seen(state) {
    this.find(".notice").textContent = state.notice;
    this.probabilities(state.probabilities);
    this.find(".silent").textContent = state.silent;
    if (state.level_db !== null) this.find(".level").value = state.level_db;
    const label = this.find(".label");
    label.textContent = state.label ?? (state.known || this.pressed ? "" : "none of these");
    label.classList.toggle("none", state.label === null);
  }

  // How it looks and why; while pictures are embedded again for another way, how many of them are done.
  looking(state) {
    const busy = this.busy = state.embedding !== null, progress = this.find(".looking progress");
    this.find(".looking span").textContent = busy
      ? `the pictures are embedded again: ${state.embedding[0]} of ${state.embedding[1]}` : state.looking || (state.look && `uses: ${state.look}`);
    progress.hidden = this.find(".stop").hidden = !busy;
    if (busy) { progress.value = state.embedding[0]; progress.max = state.embedding[1]; }
    const select = this.find(".ways select");
    if (select && state.look !== this.look) select.value = state.look in WAYS ? state.look : "frame";
    this.look = state.look;
  }

  classes(counts) {
    this.counts = counts;
    const list = this.find(".classes");
    for (const [label, button] of this.buttons) {
      if (!(label in counts)) { button.closest("li").remove(); this.buttons.delete(label); }
    }
    for (const [label, [examples, takes]] of Object.entries(counts)) {
      if (!this.buttons.has(label)) list.append(this.button(label));
      const button = this.buttons.get(label);
      const told = this.sound ? number(examples, "recording") : `${examples} in ${number(takes, "take")}`;
      button.querySelector("small").textContent = examples ? told : "nothing yet";
      button.classList.toggle("few", label !== NOISE && examples < this.minimum);
    }
    this.files.classes(Object.keys(counts));
    this.find(".how").textContent = this.how(counts);
  }

  // What to do first; nothing once every class has enough.
  how(counts) {
    const labels = Object.keys(counts);
    if (this.sound) {
      if (!labels.length) return `Add the words you want it to know, and a class "${NOISE}" for when nobody speaks.`;
      if (!labels.includes(NOISE)) return `Press a word and say it, ${this.minimum} times each. Add a class "${NOISE}" too: it records the room for ten seconds.`;
    } else if (this.moves) {
      if (!labels.length) return `Add the movements you want it to know, and a class "${NOTHING}" for moving about.`;
      if (labels.includes(NOTHING)) return labels.every((label) => counts[label][0]) ? "" : "Press a movement and do it; for a sign hold it, press, and press again.";
      return `Add a class "${NOTHING}" too: a minute of moving about, which matters most of all.`;
    } else if (labels.length < 2) return "Add two or more classes that it should distinguish, e.g. fist, palm, nothing.";
    const few = labels.filter((label) => label !== NOISE && counts[label][0] < this.minimum);
    if (!few.length) return "";
    return this.sound ? `Press a word and say it, ${this.minimum} times each; then train.`
      : "Hold a class while you show it, let go, and do it again a little differently: two or more takes of each. Then train.";
  }

  button(label) {
    const item = document.getElementById("class").content.firstElementChild.cloneNode(true);
    const button = item.querySelector(".hold");
    button.querySelector("b").textContent = label;
    button.setAttribute("aria-label", `${this.sound ? "press and say" : this.moves ? "press and do" : "hold to record"} ${label}`);
    let timer = null;
    // One after the other: a "record" that overtook the "release" would press the button again.
    let last = Promise.resolve(), waiting = 0;
    const send = (action, body) => {
      waiting += 1;
      last = last.then(() => this.act(action, body)).then(() => { waiting -= 1; });
    };
    const hold = (event) => {
      event.preventDefault();
      if (timer !== null) return;
      if (this.phone.on) {
        timer = 0;
        this.phone.hold(label);
        return;
      }
      send("record", { label }); // of movements pressed again: it is over
      if (this.pressed) return;
      // Only once the one before was answered: on a slow device the "release" would wait behind all of them.
      timer = setInterval(() => { if (!waiting) send("record", { label }); }, RENEW_MS);
    };
    const release = () => {
      if (timer === null) return;
      clearInterval(timer);
      if (timer === 0) this.phone.release();
      else send("release", {});
      timer = null;
    };
    button.addEventListener("pointerdown", (event) => { button.setPointerCapture(event.pointerId); hold(event); });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(end, release);
    button.addEventListener("keydown", (event) => { if (event.key === " " || event.key === "Enter") hold(event); });
    button.addEventListener("keyup", release);
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    this.buttons.set(label, button);
    return item;
  }

  probabilities(all) {
    const box = this.find(".bars");
    for (const [label, one] of this.bars) if (!(label in all)) { one.remove(); this.bars.delete(label); }
    for (const [label, value] of Object.entries(all)) {
      if (!this.bars.has(label)) {
        this.bars.set(label, bar(label));
        box.append(this.bars.get(label));
      }
      fill(this.bars.get(label), value);
    }
    // Of very many classes the likeliest are enough: the page would be as long as their list.
    const few = [...Object.entries(all)].sort((one, other) => other[1] - one[1]).slice(0, BARS).map(([label]) => label);
    for (const [label, one] of this.bars) one.hidden = !few.includes(label);
    const rest = this.bars.size - few.length;
    this.find(".rest").textContent = rest ? `the likeliest of ${this.bars.size} classes` : "";
  }

  async elsewhere() {
    const name = prompt("A name for this place or day (e.g. kitchen, evening). What is recorded from now on belongs to it.");
    if (name === null) return;
    if (await this.act("session", { name })) this.said("a new session: show every class here too, then train");
  }

  async train() {
    const button = this.find(".train");
    button.disabled = true;
    this.said("training …");
    const before = this.generation;
    try {
      const done = await ask(`${this.path}/train`, { head: this.find(".tuning select").value || null });
      this.show(done);
      this.trained(done);
    } catch (error) {
      if (error instanceof Busy) {
        this.said(`${error.message} …`);
        this.waiting = before;
        return;
      }
      this.said(this.failed(error));
    }
    button.disabled = false;
  }

  // The device tells again what it sees: the training is over, and may have ended with nothing.
  async afterTraining(state) {
    const before = this.waiting;
    this.waiting = null;
    this.find(".train").disabled = false;
    if (state.generation === before) {
      this.said("nothing was trained: press Train again");
      return;
    }
    try { this.trained(await ask(`${this.path}/trained`)); } catch (error) { this.said(this.failed(error)); }
  }

  trained(done) {
    this.said(`trained on ${done.examples} examples in ${done.train_ms} ms: generation ${done.generation}`);
    this.find(".result").replaceChildren(...result(done));
    this.listGenerations();
  }

  async another(action, way) {
    const done = await this.act(action, {});
    if (!done) return;
    this.said(`${way} at generation ${done.generation}; the examples were not changed`);
    this.listGenerations();
  }

  async listGenerations() {
    if (!this.find(".generations").open) return;
    const all = await ask(`${this.path}/generations`).catch((error) => { this.later(error, () => this.listGenerations()); });
    if (!all) return;
    this.find(".generations ol").replaceChildren(...all.map((one) => {
      const when = !one.ok ? "damaged" : one.time_s === null ? NOT_SET : new Date(1000 * one.time_s).toLocaleString();
      const how = one.accuracy === null ? "" : `, ${percent(one.accuracy)} right`;
      const used = one.number === this.generation;
      const state = (used ? ", in use" : one.rolled_back ? ", set aside" : "") + (one.fits ? "" : `; it looks with ${one.looks ?? "something else"}`);
      const className = used ? "used" : one.rolled_back ? "aside" : "";
      return make("li", `generation ${one.number}: ${when}, ${one.head ?? "?"}${how}${state}`, { className });
    }));
    const scores = all.map((one) => one.accuracy).filter((value) => value !== null).reverse();
    this.find(".history").replaceChildren(...(scores.length > 1
      ? [curve("accuracy, training by training", scores, { most: 1, told: percent, dots: true })] : []));
    const fitting = all.filter((one) => one.ok && one.fits), number = this.generation;
    this.find(".back").disabled = !fitting.some((one) => !one.rolled_back && one.number < number);
    this.find(".forward").disabled = !fitting.some((one) => one.rolled_back && one.number > number);
  }

  async listTold() {
    if (!this.find(".told").open) return;
    const recent = await ask("api/events/recent").catch((error) => { this.said(this.failed(error)); });
    if (!recent) return;
    const all = recent.filter((one) => one.source === this.name).reverse();
    this.find(".told ol").replaceChildren(...(all.length ? all.slice(0, 20).map((one) => make("li",
      `${one.time < BEGUN_S ? NOT_SET : new Date(1000 * one.time).toLocaleTimeString()}  ${one.label === null ? "the end of it" : `${one.label}, ${percent(one.confidence)}`}`))
      : [make("li", "nothing yet")]));
  }

  told(event) {
    if (this.pressed && event.label !== null) this.said(`${this.moves ? "saw" : "heard"} ${event.label} (${percent(event.confidence)})`);
    this.listTold();
  }

  // Another way to look; a box is drawn in a terminal, or given by the API.
  ways(ways) {
    if (!ways.length) return;
    const form = make("form", "", { className: "ways" }), label = make("label", "which part of the picture is used"), select = make("select");
    select.append(...ways.filter((way) => way !== "box").map((way) => make("option", way in WAYS ? `${way}: ${WAYS[way]}` : way, { value: way })));
    label.append(select);
    form.append(label, make("button", "Look so"));
    form.onsubmit = (event) => {
      event.preventDefault();
      const taught = Object.values(this.counts).reduce((sum, [examples]) => sum + examples, 0);
      if (taught && !confirm(`Embed the ${taught} examples again for ${select.value}? Train again afterwards.`)) return;
      this.act("look", { way: select.value });
    };
    this.find(".tuning").append(form);
  }

  settings(tuning, heads) {
    const names = this.sound ? ["threshold"] : ["on", "off", "smoothing_s"];
    const told = {
      threshold: "a word is reported from this probability on (0 to 1)", on: "a sign begins at this probability",
      off: "and ends below this one", smoothing_s: "smoothing, seconds",
    };
    const form = this.find(".tuning form");
    for (const name of names) {
      const label = make("label", told[name]);
      const most = name === "smoothing_s" ? 60 : 1;
      label.append(make("input", "", {
        name, type: "number", min: 0, max: most, step: "any", value: tuning[name] ?? "", placeholder: "as set up",
      }));
      form.append(label);
    }
    form.append(make("button", "Use these"));
    const how = make("label", "the classifier for the next training"), select = make("select");
    select.append(make("option", "as the last one", { value: "" }),
      ...heads.map((head) => make("option", HEADS[head] ?? head, { value: head })));
    how.append(select);
    form.append(how);
    form.onsubmit = async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(
        names.map((name) => [name, form.elements[name].value === "" ? null : Number(form.elements[name].value)]));
      if (await this.act("tune", values)) this.said("the settings are in use, also after a restart");
    };
  }
}
