// Files of the phone: as examples, as questions, and what the device gives to take along.
import { LONG_MS, answered, fetched, send } from "./ask.js";
import { bar, fill, make, percent } from "./draw.js";

const WAV_HZ = 44100;
const READ = ["RIFF", "fLaC", "OggS"]; // how a file of sound begins that the device reads itself
const SHOWN_PX = 160;

export class Files {
  // pipeline: whose page it is.
  constructor(pipeline) {
    this.pipeline = pipeline;
    this.find(".add").onchange = (event) => this.chosen(event, (files) => this.add(this.find(".of").value, files));
    this.find(".what").onchange = (event) => this.chosen(event, (files) => this.question(files[0]));
    this.find(".add").accept = pipeline.sound ? "audio/*,video/*" : "image/*,video/*";
    this.find(".what").accept = pipeline.sound ? "audio/*,video/*" : "image/*";
    this.find(".model").onclick = () => this.fetchModel();
    this.find(".zip").onclick = () => this.fetchExamples();
  }

  find(selector) { return this.pipeline.find(selector); }

  said(line) { this.find(".given").textContent = line; }

  // The classes that files can be given to.
  classes(labels) {
    const select = this.find(".of"), before = select.value;
    if ([...select.options].map((one) => one.value).join("\n") === labels.join("\n")) return;
    select.replaceChildren(...labels.map((label) => make("option", label, { value: label })));
    if (labels.includes(before)) select.value = before;
  }

  async chosen(event, use) {
    const files = [...event.target.files];
    event.target.value = ""; // the same ones can be chosen again
    if (!files.length) return;
    try { await use(files); } catch (error) { this.said(this.pipeline.failed(error)); }
  }

  // Several at once are one take; each that cannot be read is named, and the others are taken.
  async add(label, files) {
    if (!label) { this.said("add a class first: the files become examples of it"); return; }
    let take = 0, added = 0, copies = 0;
    const bad = [];
    for (const [at, file] of files.entries()) {
      this.said(`adding ${at + 1} of ${files.length} …`);
      try {
        const given = { label, take, file: file.name };
        const done = await send(`${this.pipeline.path}/upload`, given, await this.readable(file));
        this.pipeline.show(done);
        take = done.take;
        added += done.added;
        copies += done.copies;
      } catch (error) { bad.push(this.pipeline.failed(error)); }
    }
    if (added) await this.pipeline.act("end-take", {});
    const passed = copies === 1 ? "1 is there already and was skipped" : `${copies} are there already and were skipped`;
    this.said([`added ${added} to ${label}`, copies ? passed : "", ...bad].filter(Boolean).join(" · "));
  }

  async question(file) {
    const shown = this.find(".asked");
    shown.replaceChildren();
    this.said(this.pipeline.sound ? "listening …" : "looking …");
    const answer = await send(`${this.pipeline.path}/ask`, { file: file.name }, await this.readable(file));
    this.said(`${file.name}: ${told(answer)}`);
    if (!this.pipeline.sound) shown.append(...await picture(file));
    for (const [label, value] of Object.entries(answer.probabilities)) {
      const one = bar(label);
      fill(one, value);
      shown.append(one);
    }
  }

  // Sound that the device does not read, as telephones record it, is unpacked by the browser.
  async readable(file) {
    if (!this.pipeline.sound) return file;
    const data = await file.arrayBuffer();
    if (READ.includes(String.fromCharCode(...new Uint8Array(data, 0, Math.min(4, data.byteLength))))) return file;
    try {
      return wav((await new OfflineAudioContext(1, 1, WAV_HZ).decodeAudioData(data)));
    } catch { return file; } // the device says what is wrong with it
  }

  async fetchModel() {
    this.pipeline.said("making the model file …");
    try {
      const response = await fetched(`${this.pipeline.path}/model.tflite`, {}, LONG_MS);
      if (!response.ok) await answered(response);
      const link = make("a", "", { href: URL.createObjectURL(await response.blob()), download: `${this.pipeline.name}.tflite` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      this.pipeline.said("the model file was downloaded: pictures or sound in, probabilities out");
    } catch (error) { this.pipeline.said(this.pipeline.failed(error)); }
  }

  // It may be larger than a page can hold, so the browser fetches it; whether there is anything is asked before.
  async fetchExamples() {
    const path = `${this.pipeline.path}/examples.zip`;
    try {
      const response = await fetched(path, { method: "HEAD" }, LONG_MS);
      if (!response.ok) await answered(await fetched(path, {}, LONG_MS)); // the same refusal, with its sentence
      make("a", "", { href: path, download: "" }).click();
    } catch (error) { this.pipeline.said(this.pipeline.failed(error)); }
  }
}

// An answer in words.
export function told(answer) {
  if (answer.told.length > 1) return `heard ${answer.told.join(", then ")}`;
  if (answer.answer !== null) return `${answer.answer}, ${percent(answer.confidence)}`;
  if (!answer.found) return "no hand or face was found in it";
  return `none of these (nearest: ${answer.nearest}, ${percent(answer.confidence)})`;
}

// What was asked about, small.
async function picture(file) {
  try {
    const bitmap = await createImageBitmap(file), side = Math.max(bitmap.width, bitmap.height);
    const canvas = make("canvas", "", { width: SHOWN_PX * bitmap.width / side, height: SHOWN_PX * bitmap.height / side });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return [canvas];
  } catch { return []; } // of a kind that this browser does not show
}

// A WAV file of 16 bits and one channel.
function wav(sound) {
  const channels = Array.from({ length: sound.numberOfChannels }, (_, at) => sound.getChannelData(at));
  const view = new DataView(new ArrayBuffer(44 + 2 * sound.length));
  const text = (at, word) => [...word].forEach((one, index) => view.setUint8(at + index, one.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * sound.length, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, sound.sampleRate, true); view.setUint32(28, 2 * sound.sampleRate, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * sound.length, true);
  for (let at = 0; at < sound.length; at += 1) {
    const value = channels.reduce((sum, one) => sum + one[at], 0) / channels.length;
    view.setInt16(44 + 2 * at, Math.round(32767 * Math.max(-1, Math.min(1, value))), true);
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}
