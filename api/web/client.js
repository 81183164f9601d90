// Asks the API. The token lives in this tab's session and goes out in the header only.

const KEY = "dsnd-token";

export const token = {
  get: () => sessionStorage.getItem(KEY) || "",
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

/** What the API refused: its problem's words and status. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** "/v1/x" and {a: 1} as "/v1/x?a=1"; what is empty is left out. A plus sign is escaped. */
export function address(path, query = {}) {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return pairs.length ? `${path}?${pairs.join("&")}` : path;
}

/** No answer came, or only a part of it. */
export class Away extends Error {
  constructor(cause) {
    super(`The server cannot be reached: ${cause.message}`, { cause });
  }
}

const lost = (cause) => { throw new Away(cause); };

async function send(method, path, query, body) {
  const headers = { Authorization: `Bearer ${token.get()}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const reply = await fetch(address(path, query), {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-cache",
    credentials: "omit",
    redirect: "error",
  }).catch(lost);
  if (reply.ok) return reply;
  const problem = await reply.json().catch(() => ({}));
  throw new Refused(reply.status, problem.detail || `The server answered ${reply.status}.`);
}

const read = async (...request) => (await send(...request)).json().catch(lost);

export const get = (path, query) => read("GET", path, query);
export const post = (path, body) => read("POST", path, {}, body);
export const put = (path, body) => read("PUT", path, {}, body);
export const remove = (path) => send("DELETE", path, {});

/** A file of the API, saved by the browser under a name. */
export async function download(path, query, name) {
  const reply = await send("GET", path, query);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await reply.blob().catch(lost));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
