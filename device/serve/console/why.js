// Why an answer was wrong: it beside the nearest taught examples, the likely causes, and what to show next.
import { ask } from "./ask.js";
import { make, percent } from "./draw.js";

export class Why {
  // marks: the list of what was told.
  constructor(marks) {
    this.marks = marks;
    this.pipeline = marks.pipeline;
    this.root = marks.root.querySelector(".reasons");
  }

  // one: what was told, null for what is seen now; was: what it was, where that was said. Answered in some moments: a few
  // copies of the picture are looked at.
  async ask(one, was = one?.marked ?? "") {
    const mine = this.asking = {};
    this.root.replaceChildren(make("p", "looking into it …", { className: "quiet" }));
    try {
      const given = { number: one?.number ?? 0, ...(was && this.marks.words.includes(was) ? { was } : {}) };
      const answer = await ask(`${this.pipeline.path}/why?${new URLSearchParams(given)}`);
      if (this.asking === mine) this.show(one, answer);
    } catch (error) {
      if (this.asking === mine) this.root.replaceChildren(make("p", this.pipeline.failed(error), { className: "quiet" }));
    }
  }

  show(one, answer) {
    const { path } = this.pipeline, pair = make("div", "", { className: "side-by-side" }), list = make("ul");
    if (one) pair.append(figure(`${path}/told/${one.number}.jpg`, `answer: ${told(one)}`, "asked"));
    for (const near of answer.nearest) pair.append(this.example(near, `example of ${near.label}`));
    if (answer.right) pair.append(this.example(answer.right, `nearest ${answer.right.label}`));
    list.append(...answer.causes.map((cause) => make("li", cause.text)));
    if (!answer.causes.length) list.append(make("li", answer.right_answer ? "the answer was right" : "none of the measured causes"));
    this.root.replaceChildren(make("h3", one ? `Why ${one.label ?? "none of these"}?` : "Why, now?"), pair, list);
    const best = answer.worth[0];
    if (best && best.number !== one?.number) this.root.append(this.other(best.number));
    if (answer.next) this.root.append(make("p", `Next: ${answer.next}.`, { className: "quiet" }));
    if (one?.can_be_marked && !answer.was) this.root.append(this.buttons(one));
  }

  // Of what was told lately another one would teach more.
  other(number) {
    const line = make("p", "Of the recent answers, correcting this one would help most: ", { className: "row quiet" });
    const image = this.marks.picture(number);
    line.append(image);
    return line;
  }

  // One tap: what it was is kept, and it is held against that class.
  buttons(one) {
    const row = make("p", "", { className: "row" });
    for (const word of this.marks.words.filter((word) => word !== one.label)) {
      const button = make("button", `It was ${word}`);
      button.onclick = async () => {
        if (await this.marks.send("mark", { number: one.number, was: word })) this.ask({ ...one, can_be_marked: false }, word);
      };
      row.append(button);
    }
    return row;
  }

  // A taught example where its picture or sound was kept, else its number.
  example(near, text) {
    return figure(`${this.pipeline.path}/found/${near.id}.jpg`, `${text}, ${Math.floor(100 * near.likeness)} % alike`, "taught",
      () => make("small", `example ${near.id}: its picture was not kept`));
  }
}

function figure(address, caption, className, instead = () => make("small", "its picture is gone")) {
  const root = make("figure", "", { className }), image = make("img", "", { src: address, alt: caption });
  image.onerror = () => image.replaceWith(instead());
  root.append(image, make("figcaption", caption));
  return root;
}

// An answer in words.
export function told(one) {
  return one.label === null ? `none of these (nearest: ${one.nearest}, ${percent(one.confidence)})` : `${one.label}, ${percent(one.confidence)}`;
}
