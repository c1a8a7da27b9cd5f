// The other devices of a fleet: how they do, how well their lessons do here, and whose are used.
import { ask } from "./ask.js";
import { make, number, percent } from "./draw.js";

const OPEN_MS = 3000, CLOSED_MS = 30000; // what is open is read again this often; else only what the title says
const SHOWN_LABELS = 6;
const ASK = { accept: "Accept", aside: "Set aside", undo: "Undo" };

export class Fleet {
  // pipeline: whose page it is; here: whether it is the one that learns from others.
  constructor(pipeline, here) {
    this.pipeline = pipeline;
    this.root = pipeline.find(".fleet");
    this.shown = "";
    this.asked = 0; // of two answers the one that was asked for later is the newer one
    this.timer = null;
    this.root.hidden = !here;
    if (!here) return;
    this.root.ontoggle = () => this.read();
    this.read();
  }

  leave() {
    this.left = true;
    clearTimeout(this.timer);
  }

  find(selector) { return this.root.querySelector(selector); }

  async read() {
    clearTimeout(this.timer);
    const mine = this.asked += 1;
    if (!document.hidden) {
      try {
        const state = await ask("api/fleet");
        if (mine === this.asked) this.show(state);
      } catch (error) {
        this.shown = "";
        if (mine === this.asked) this.find(".trouble").textContent = this.pipeline.failed(error);
      }
    }
    if (mine === this.asked && !this.left) this.timer = setTimeout(() => this.read(), this.root.open ? OPEN_MS : CLOSED_MS);
  }

  // Written anew only where something changed, so that a button that somebody is about to press stays.
  show(state) {
    const rows = state.devices.map((one) => ({ id: one.id, name: one.device, ...words(one, state.accept) }));
    const now = JSON.stringify([state.error, state.right, state.asked, rows]);
    if (now === this.shown) return;
    this.shown = now;
    const waiting = rows.filter((one) => one.waits).length, bad = rows.some((one) => one.harm);
    const title = [waiting ? `${waiting} waiting for approval` : "", bad ? "one lowers the accuracy" : ""].filter(Boolean).join(", ");
    this.find("summary").textContent = `Other devices${title ? ` (${title})` : ""}`;
    this.find(".trouble").textContent = state.error;
    this.find(".of-all").textContent = `fleet ${state.fleet}${state.asked
      ? `: all others' lessons together answer ${percent(state.right)} of the ${number(state.asked, "example")} here correctly` : ""}`;
    this.find("ol").replaceChildren(...(rows.length ? rows.map((one) => this.row(one)) : [make("li", "no other device yet")]));
  }

  row(one) {
    const item = make("li");
    item.append(make("b", one.name), make("small", one.seen), ...one.lines.map((line) => make("span", line)));
    if (one.harm) item.append(make("span", one.harm, { className: "fault" }));
    const row = make("p", "", { className: "row" });
    for (const action of one.actions) {
      const button = make("button", ASK[action], { className: action === "accept" ? "main" : "" });
      button.setAttribute("aria-label", `${ASK[action]}: ${one.name}`);
      button.onclick = () => this.decide(row, action, one.id);
      row.append(button);
    }
    if (one.actions.length) item.append(row);
    return item;
  }

  async decide(row, action, device) {
    for (const button of row.children) button.disabled = true;
    this.asked += 1; // an answer that is on its way is older than what is decided now
    try {
      const state = await ask(`api/fleet/${action}`, { device });
      this.show(state);
      this.find(".decided").textContent = state.said;
    } catch (error) { this.find(".decided").textContent = this.pipeline.failed(error); }
    for (const button of row.children) button.disabled = false;
    this.read();
  }
}

function ago(seconds) {
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

function seenOf(one) {
  if (!one.trusted) return "not trusted any more";
  if (one.there) return "online";
  return typeof one.seen_s === "number" ? `last seen ${ago(one.seen_s)} ago` : "not seen since this device started";
}

// What is said of a device, and what can be decided about it.
function words(one, accept) {
  const aside = one.decision === "aside", waits = one.waiting > 0, labels = one.labels.slice(0, SHOWN_LABELS);
  const more = one.labels.length > labels.length ? " …" : "";
  const use = aside ? "set aside" : waits ? "waiting for approval" : `${one.used} used here`;
  const seen = [seenOf(one), "generation" in one ? `generation ${one.generation}` : "",
    "right" in one ? `${percent(one.right)} right on its own examples` : ""];
  const lines = [`${number(one.lessons, "lesson")}${labels.length ? ` of ${labels.join(", ")}${more}` : ""}: ${use}`];
  if (one.alone && !aside) {
    lines.push(`its lessons alone answer ${percent(one.alone.accuracy)} of the ${number(one.alone.examples, "example")} here correctly`);
  }
  const harm = one.harmful && !aside
    ? `its lessons lower the accuracy of the others from ${percent(one.harmful.without)} to ${percent(one.harmful.accuracy)}` : "";
  const actions = [];
  if (one.trusted) {
    if (one.decision !== "accepted" && (waits || aside ? accept === "ask" : false)) actions.push("accept");
    if (!aside) actions.push("aside");
    if (one.decision) actions.push("undo");
  }
  return { seen: seen.filter(Boolean).join(" · "), lines, harm, actions, waits };
}
