// Asking the device, and saying who may not.
export class Refused extends Error {}

export async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (response.status === 401) throw new Refused(answer.error);
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
