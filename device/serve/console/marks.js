// What was told lately, and what was wrong with it: a false alarm, another word or class, one that was missed, and why.
import { make } from "./draw.js";
import { Why, told } from "./why.js";

const NOISE = "background noise";

export class Marks {
  constructor(pipeline) {
    this.pipeline = pipeline;
    this.root = pipeline.find(".wrong");
    this.shown = "";
    this.why = new Why(this);
    const missed = this.root.querySelector(".missed"), { sound } = pipeline;
    missed.textContent = sound ? "It was said just now" : "It is shown now";
    missed.onclick = () => this.send("missed", { was: this.root.querySelector(".which").value });
    const now = this.root.querySelector(".why-now");
    now.hidden = sound;
    now.onclick = () => this.why.ask(null);
  }

  // heard: the newest answers, the oldest first; labels: the classes. Written anew only where something changed, so that
  // a list that somebody has open stays open.
  show(heard, labels) {
    const words = labels.filter((label) => label !== NOISE);
    this.root.hidden = this.pipeline.moves || !words.length || !(this.pipeline.sound || this.pipeline.generation);
    const now = JSON.stringify([heard, words]);
    if (this.root.hidden || now === this.shown) return;
    this.shown = now;
    this.words = words;
    this.root.querySelector("ol").replaceChildren(...(heard.length ? [...heard].reverse().map((one) => this.row(one))
      : [make("li", "nothing was reported yet")]));
    const select = this.root.querySelector(".which"), before = select.value;
    select.replaceChildren(...words.map((word) => make("option", word)));
    if (words.includes(before)) select.value = before;
  }

  row(one) {
    const item = make("li"), said = make("span", `${told(one)} `);
    if (one.can_be_explained && !this.pipeline.sound) item.append(this.picture(one.number));
    item.append(said);
    if (one.marked) item.append(make("small", `corrected: ${one.marked} `));
    if (one.can_be_explained) {
      const why = make("button", "Why?", { className: "plain" });
      why.onclick = () => this.why.ask(one);
      item.append(why);
    }
    if (!one.can_be_marked) return item;
    if (this.pipeline.sound) {
      const play = make("button", "Hear it", { className: "plain" });
      play.onclick = () => new Audio(`${this.pipeline.path}/heard/${one.number}.wav`).play().catch(() => this.pipeline.said("it cannot be played here"));
      item.append(play);
    }
    item.append(...this.was(one));
    return item;
  }

  // A button for each thing that it may have been.
  was(one) {
    const all = this.words.filter((word) => word !== one.label).map((word) => [`It was ${word}`, { number: one.number, was: word }]);
    if (this.pipeline.sound) all.unshift(["It was a false alarm", { number: one.number }]);
    return all.map(([text, body]) => {
      const button = make("button", text, { className: "plain" });
      button.onclick = () => this.send("mark", body);
      return button;
    });
  }

  picture(number) {
    return make("img", "", { src: `${this.pipeline.path}/told/${number}.jpg`, alt: "what was seen", loading: "lazy" });
  }

  // The device says itself what became of it.
  async send(action, body) { return this.pipeline.act(action, body); }
}
