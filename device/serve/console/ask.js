// Asking the device, and saying who may not.
export class Refused extends Error {}

export async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  return answered(await fetch(path, options));
}

// A file, or a frame of a camera, as the body of a request of its own; `given` goes into the address.
export async function send(path, given, blob) {
  const headers = { "Content-Type": "application/octet-stream" };
  return answered(await fetch(`${path}?${new URLSearchParams(given)}`, { method: "POST", headers, body: blob }));
}

export async function answered(response) {
  const answer = await response.json();
  if (response.status === 401) throw new Refused(answer.error);
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
