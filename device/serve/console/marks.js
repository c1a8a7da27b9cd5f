// Words that were told lately, and what was wrong with them: "that was nothing", "that was …", or one that was missed.
import { make, percent } from "./draw.js";

const NOISE = "background noise";

export class Marks {
  constructor(pipeline) {
    this.pipeline = pipeline;
    this.root = pipeline.find(".wrong");
    this.shown = "";
    this.root.querySelector(".missed").onclick = () => this.send("missed", { was: this.root.querySelector(".which").value });
  }

  // heard: the newest words, the oldest first; labels: the classes. Written anew only where something changed, so that a
  // list that somebody has open stays open.
  show(heard, labels) {
    const words = labels.filter((label) => label !== NOISE);
    this.root.hidden = !this.pipeline.sound || !words.length;
    const now = JSON.stringify([heard, words]);
    if (this.root.hidden || now === this.shown) return;
    this.shown = now;
    this.root.querySelector("ol").replaceChildren(...(heard.length ? [...heard].reverse().map((one) => this.row(one, words))
      : [make("li", "nothing was reported yet")]));
    const select = this.root.querySelector(".which"), before = select.value;
    select.replaceChildren(...words.map((word) => make("option", word)));
    if (words.includes(before)) select.value = before;
  }

  row(one, words) {
    const item = make("li", `${one.label}, ${percent(one.confidence)} `);
    if (one.marked) item.append(make("small", `corrected: ${one.marked}`));
    if (!one.can_be_marked) return item;
    const play = make("button", "Hear it", { className: "plain" });
    play.onclick = () => new Audio(`${this.pipeline.path}/heard/${one.number}.wav`).play().catch(() => this.pipeline.said("it cannot be played here"));
    const nothing = make("button", "It was a false alarm", { className: "plain" });
    nothing.onclick = () => this.send("mark", { number: one.number });
    item.append(play, nothing);
    for (const word of words.filter((word) => word !== one.label)) {
      const was = make("button", `It was ${word}`, { className: "plain" });
      was.onclick = () => this.send("mark", { number: one.number, was: word });
      item.append(was);
    }
    return item;
  }

  // The device says itself what became of it.
  async send(action, body) { await this.pipeline.act(action, body); }
}
