// This phone's own camera in the place of the device's: while a class is held its frames are examples of one take, else
// they are questions. The next frame goes when the one before was answered, so that a slow network sends fewer.
import { LIMIT_MS, send } from "./ask.js";
import { make } from "./draw.js";
import { told } from "./files.js";

const SIDE_PX = 640, QUALITY = 0.85; // as large as the device keeps pictures
const TEACH_MS = 120, ASK_MS = 250; // from one frame to the next, at least
const INSECURE = "A browser gives its camera only to pages that came over https. The person who looks after the device can give it a "
  + "certificate (tls_cert and tls_key under [web] in its settings). Pictures can be added as files meanwhile.";
const WRONG = {
  NotAllowedError: "The browser may not use the camera: allow it for this page in the browser's settings, and try again.",
  NotFoundError: "There is no camera here.",
  NotReadableError: "The camera is in use by something else: close that, and try again.",
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class PhoneCamera {
  // pipeline: whose page it is.
  constructor(pipeline) {
    this.pipeline = pipeline;
    this.stream = null;
    this.held = null;
    this.facing = "environment";
    this.video = pipeline.find(".own");
    this.canvas = make("canvas");
    pipeline.find(".camera").hidden = pipeline.sound;
    pipeline.find(".camera").onclick = () => (this.on ? this.stop() : this.start());
    pipeline.find(".turn").onclick = () => {
      this.facing = this.facing === "environment" ? "user" : "environment";
      this.start();
    };
  }

  get on() { return this.stream !== null; }

  async start() {
    const why = (line) => { this.pipeline.find(".why").textContent = line; };
    this.stop();
    if (!navigator.mediaDevices?.getUserMedia) { why(INSECURE); return; }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: this.facing, width: { ideal: SIDE_PX } } });
      this.stop(); // of a second press meanwhile
      this.stream = stream;
      stream.getVideoTracks()[0].onended = () => { if (this.stream === stream) this.stop(); };
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      this.stop();
      why(WRONG[error.name] ?? `The camera cannot be opened (${error.message}).`);
      return;
    }
    why("Hold a class to teach it what this phone sees.");
    this.shown(true);
    this.watch(this.stream);
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = this.held = null;
    this.video.srcObject = null;
    this.pipeline.find(".why").textContent = "";
    this.shown(false);
  }

  shown(on) {
    const { pipeline } = this;
    pipeline.find(".camera").textContent = on ? "Back to the device's camera" : "This phone's camera";
    pipeline.find(".turn").hidden = this.video.hidden = !on;
    pipeline.find(".live").hidden = on;
    for (const selector of [".label", ".notice", ".silent"]) pipeline.find(selector).textContent = "";
  }

  frame() {
    const { videoWidth: width, videoHeight: height } = this.video, share = Math.min(1, SIDE_PX / Math.max(width, height));
    Object.assign(this.canvas, { width: Math.round(width * share), height: Math.round(height * share) });
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((done) => { this.canvas.toBlob(done, "image/jpeg", QUALITY); });
  }

  release() { this.held = null; }

  // Frames are examples of a class until the button is let go: one take.
  async hold(label) {
    const mine = { label }, { pipeline } = this;
    this.held = mine;
    let take = 0, added = 0, failed = "";
    while (this.held === mine && !failed) {
      const next = pause(TEACH_MS);
      if (pipeline.busy) { // all is embedded again for another way to look: what is held waits
        await next;
        continue;
      }
      try {
        const done = await send(`${pipeline.path}/upload`, { label, take, file: "a phone's camera" }, await this.frame(), LIMIT_MS);
        take = done.take;
        added += done.added;
        pipeline.show(done);
      } catch (error) { failed = pipeline.failed(error); }
      await next;
    }
    if (this.held === mine) this.held = null;
    const done = added ? await pipeline.act("end-take", {}) : null;
    pipeline.said(failed || (done ? `recorded ${added} of ${label}${done.said.replace(/^added/, "")}` : "nothing was recorded: hold it longer"));
  }

  // Frames are questions while nothing is held.
  async watch(stream) {
    while (this.stream === stream) {
      const next = pause(ASK_MS);
      if (!this.held && this.pipeline.generation && !document.hidden) {
        try {
          const answer = await send(`${this.pipeline.path}/ask`, { file: "the picture" }, await this.frame(), LIMIT_MS);
          if (this.stream === stream) this.answered(answer);
        } catch (error) { this.pipeline.find(".silent").textContent = this.pipeline.failed(error); }
      }
      await next;
    }
  }

  answered(answer) {
    const label = this.pipeline.find(".label");
    this.pipeline.probabilities(answer.probabilities);
    this.pipeline.find(".silent").textContent = "";
    label.textContent = answer.answer ?? told(answer);
    label.classList.toggle("none", answer.answer === null);
  }
}
