// Asking the device, and saying who may not, that it is busy, and that it does not answer.
export class Refused extends Error {}
// Nothing was done, or it goes on; later it may be asked again. here: whether the device said so itself.
export class Busy extends Error {
  constructor(line, here = false) { super(line); this.here = here; }
}

export const LIMIT_MS = 30000; // the device itself says after 20 s that it is too busy
export const LONG_MS = 150000; // and after 140 s that what it began goes on
const SILENT = "the device does not answer: is it reached from here?";

export async function ask(path, body) {
  if (body === undefined) return answered(await fetched(path, {}, LIMIT_MS));
  const headers = { "Content-Type": "application/json" };
  return answered(await fetched(path, { method: "POST", headers, body: JSON.stringify(body) }, LONG_MS));
}

// A file, or a frame of a camera, as the body of a request of its own; `given` goes into the address.
export async function send(path, given, blob, limit_ms = LONG_MS) {
  const headers = { "Content-Type": "application/octet-stream" };
  return answered(await fetched(`${path}?${new URLSearchParams(given)}`, { method: "POST", headers, body: blob }, limit_ms));
}

// How it does, also where that is not well.
export async function health() {
  const response = await fetched("api/health", {}, LIMIT_MS);
  return response.status === 503 ? response.json() : answered(response);
}

// An answer, whole, within a time.
export async function fetched(path, options, limit_ms) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), limit_ms);
  try {
    const response = await fetch(path, { ...options, signal: stop.signal });
    return new Response(await response.blob(), { status: response.status, headers: response.headers });
  } catch (error) {
    throw new Busy(error.name === "AbortError" ? "the device did not answer in time" : SILENT);
  } finally { clearTimeout(timer); }
}

export async function answered(response) {
  const answer = await response.json().catch(() => null); // of a proxy it may be a page
  if (response.ok && answer !== null) return answer;
  if (response.status === 401) throw new Refused(answer?.error ?? "enter the token");
  if ([502, 503, 504].includes(response.status)) {
    throw new Busy(answer?.error ?? "the device does not answer its proxy", Boolean(answer?.error));
  }
  throw new Error(answer?.error ?? `this is no answer of the device (status ${response.status})`);
}
