/** Announce, send file by file, complete, and ask how far it is. */
import { csrfToken } from "../csrf";
import type { LocalFile } from "./files";

export interface Issue {
  file_index: number | null;
  member: number | null;
  code: string;
  message: string;
  fatal: boolean;
}

export interface Status {
  state: string;
  stage: string;
  progress: number;
  message: string;
  import_state?: string;
  finished?: boolean;
  issues: Issue[];
  import: string | null;
  exam: string | null;
}

export interface Session {
  id: string;
  urls: { file: string; complete: string; abort: string; status: string };
}

export class UploadError extends Error {
  constructor(
    message: string,
    readonly fileIndex: number | null = null,
  ) {
    super(message);
  }
}

const ATTEMPTS = 3;
const AT_ONCE = 3;

async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  const text = await response.text();
  let detail = `The server answered ${response.status}.`;
  try {
    detail = (JSON.parse(text) as { detail?: string }).detail ?? detail;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UploadError(detail);
}

function post(url: string, body: string, signal?: AbortSignal): Promise<Response> {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  return fetch(url, { method: "POST", headers, body, signal: signal ?? null });
}

export async function announce(
  url: string,
  form: { site: string; subject: string; cohort: string },
  files: readonly LocalFile[],
): Promise<Session> {
  const body = { ...form, files: files.map((each) => ({ index: each.index, size: each.file.size })) };
  return answer<Session>(await post(url, JSON.stringify(body)));
}

export function fileUrl(session: Session, index: number): string {
  return session.urls.file.replace(/\/0\/$/, `/${index}/`);
}

async function sendOne(session: Session, local: LocalFile, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const headers = { "Content-Type": "application/octet-stream", "X-CSRFToken": csrfToken() };
      const response = await fetch(fileUrl(session, local.index), { method: "PUT", headers, body: local.file, signal });
      await answer(response);
      return;
    } catch (error) {
      if (signal.aborted || attempt >= ATTEMPTS) {
        const text = error instanceof UploadError ? error.message : "The connection broke: try again.";
        throw new UploadError(text, local.index);
      }
      await new Promise((done) => setTimeout(done, 500 * attempt));
    }
  }
}

/** Send all files, a few at once; `sent` is told the bytes that have arrived. */
export async function sendAll(
  session: Session,
  files: readonly LocalFile[],
  signal: AbortSignal,
  sent: (bytes: number) => void,
): Promise<void> {
  const queue = [...files];
  let bytes = 0;
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await sendOne(session, next, signal);
      bytes += next.file.size;
      sent(bytes);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

export async function complete(session: Session): Promise<Status> {
  return answer<Status>(await post(session.urls.complete, "{}"));
}

export async function abort(session: Session): Promise<void> {
  await answer(await post(session.urls.abort, "{}"));
}

export async function statusOf(session: Session): Promise<Status> {
  return answer<Status>(await fetch(session.urls.status, { headers: { Accept: "application/json" } }));
}
