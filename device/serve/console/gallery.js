// The examples: by class, by take, the newest first, a page at a time.
import { ask } from "./ask.js";
import { make, number } from "./draw.js";

const NOT_SET = "clock not set";

export class Gallery {
  // pipeline: whose page it is.
  constructor(pipeline) {
    this.pipeline = pipeline;
    this.groups = new Map();
    this.root = pipeline.find(".gallery");
    this.root.ontoggle = () => this.show();
  }

  // A group for each class; a class's takes are asked for when it is opened.
  show() {
    if (!this.root.open) return;
    this.titles();
    for (const [label, group] of this.groups) if (group.open) this.list(label, group);
  }

  titles() {
    const { counts } = this.pipeline;
    for (const [label, group] of this.groups) {
      if (!(label in counts)) { group.remove(); this.groups.delete(label); }
    }
    for (const [label, [examples, takes]] of Object.entries(counts)) {
      if (!this.groups.has(label)) {
        this.groups.set(label, this.group(label));
        this.root.querySelector(".groups").append(this.groups.get(label));
      }
      this.groups.get(label).querySelector("summary").textContent = `${label} · ${number(examples, "example")} in ${number(takes, "take")}`;
    }
  }

  group(label) {
    const { pipeline } = this, group = document.getElementById("group").content.firstElementChild.cloneNode(true);
    group.pages = 1;
    group.ontoggle = () => { if (group.open) this.list(label, group); };
    group.querySelector(".rename").onclick = () => {
      const to = prompt(`Another name for ${label}; with the name of another class the two are merged.`, label);
      if (to !== null && to !== label) pipeline.act("rename", { label, to });
    };
    group.querySelector(".forget").onclick = () => {
      if (confirm(`Delete ${label} and all its examples?`)) pipeline.act("forget-label", { label });
    };
    group.querySelector(".older").onclick = () => this.further(label, group);
    return group;
  }

  // As many pages as were opened; an older answer that comes late is not shown.
  async list(label, group) {
    const mine = group.listing = {}, takes = [];
    let answer = { older: 0 };
    try {
      do {
        const before = takes.at(-1)?.take ?? 0;
        answer = await ask(`${this.pipeline.path}/takes?${new URLSearchParams({ label, before })}`);
        takes.push(...answer.takes);
      } while (answer.older && takes.length < group.pages * answer.takes.length);
    } catch (error) { this.pipeline.later(error, () => { if (group.open && group.listing === mine) this.list(label, group); }); return; }
    if (group.listing !== mine) return;
    this.shown(group, takes, answer.older);
    group.querySelector(".takes").replaceChildren(...takes.map((take) => this.take(take)));
  }

  // The next page alone: what is there already is neither asked for nor drawn again.
  async further(label, group) {
    const mine = group.listing = {}, before = group.last;
    try {
      const answer = await ask(`${this.pipeline.path}/takes?${new URLSearchParams({ label, before })}`);
      if (group.listing !== mine) return;
      group.pages += 1;
      this.shown(group, answer.takes, answer.older);
      group.querySelector(".takes").append(...answer.takes.map((take) => this.take(take)));
    } catch (error) { this.pipeline.said(this.pipeline.failed(error)); }
  }

  // What the button for more takes says, and where the next page begins.
  shown(group, takes, left) {
    const older = group.querySelector(".older");
    group.last = takes.at(-1)?.take ?? 0;
    older.hidden = !left;
    older.textContent = `${number(left, "older take")} …`;
  }

  take(take) {
    const root = document.getElementById("take").content.firstElementChild.cloneNode(true);
    const when = take.time === null ? NOT_SET : new Date(1000 * take.time).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
    root.querySelector(".about-take").textContent = `take ${take.take} · ${number(take.total, "example")} · ${when}`;
    root.querySelector(".forget-take").onclick = () => {
      if (confirm(`Delete take ${take.take} of ${take.label} with its ${number(take.total, "example")}?`)) {
        this.pipeline.act("forget-take", { take: take.take });
      }
    };
    this.append(root, take.examples, take.total - take.examples.length);
    return root;
  }

  // Examples of a take, and what brings the next page of them.
  append(root, examples, older) {
    const more = root.querySelector(".more"), list = root.querySelector("ul");
    list.append(...examples.map((one) => this.example(one)));
    more.hidden = !older;
    more.textContent = `${older} more …`;
    const last = examples.at(-1);
    more.onclick = async () => {
      more.disabled = true;
      try {
        const page = await ask(`${this.pipeline.path}/examples?${new URLSearchParams({ take: last.take, before: last.id })}`);
        this.append(root, page.examples, page.older);
      } catch (error) { this.pipeline.said(this.pipeline.failed(error)); }
      more.disabled = false;
    };
  }

  example(one) {
    const { path } = this.pipeline, item = make("li"), remove = make("button", "×", { title: "delete this example" });
    remove.setAttribute("aria-label", `delete example ${one.id} of ${one.label}`);
    remove.onclick = async () => {
      if (!await this.pipeline.act("forget", { ids: [one.id] })) return;
      item.remove();
      this.titles();
    };
    if (one.media) {
      const image = make("img", "", { src: `${path}/examples/${one.id}.jpg`, alt: one.label, loading: "lazy" });
      if (one.media === "audio/wav") {
        image.title = "listen";
        image.onclick = () => new Audio(`${path}/examples/${one.id}.wav`).play();
      }
      item.append(image);
    } else item.append(make("small", `${one.id}`));
    item.append(remove);
    return item;
  }
}
