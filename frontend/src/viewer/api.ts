/** Requests to the server, and the three ways in which they fail. */
import { csrfToken } from "../csrf";

/** The server could not be reached, or is restarting: worth trying again. */
export class Unreachable extends Error {}

/** The read was changed elsewhere (HTTP 409). */
export class Conflict extends Error {}

/** The server refused, and said why. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch {
    throw new Unreachable("The server cannot be reached.");
  }
  if (response.ok) return response;
  const detail = await detailOf(response);
  if (response.status === 409) throw new Conflict(detail);
  if (response.status >= 502) throw new Unreachable(detail);
  throw new Refused(detail, response.status);
}

async function detailOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) {
      if ("detail" in body && typeof body.detail === "string") return body.detail;
      return Object.values(body).flat().map(String).join(" ");
    }
  } catch {
    // Not JSON: a proxy's or the framework's own page; its text would help nobody.
  }
  if (response.status === 401 || response.status === 403) return "You are not signed in any more, or may not do this.";
  return `The server answered ${response.status}.`;
}

export async function getJson<T>(url: string): Promise<T> {
  return (await (await request(url, { headers: { Accept: "application/json" } })).json()) as T;
}

export async function getBytes(url: string): Promise<ArrayBuffer> {
  return (await request(url)).arrayBuffer();
}

export async function postJson<T>(url: string, body: unknown): Promise<T> {
  const response = await request(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}
