/** The upload page: choose, send, watch the import, and put file names beside the server's numbers. */
import { fromDrop, fromPicker, type LocalFile, nameOf, readable, sizeOf, withNames } from "./files";
import { abort, announce, complete, type Issue, sendAll, type Session, type Status, statusOf, UploadError } from "./transport";

const POLL_MS = 700;
const ENDED = new Set(["succeeded", "partial", "rejected", "failed", "cancelled"]);

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`#${id} is missing`);
  return found as T;
}

const form = document.querySelector<HTMLFormElement>("form#upload");
if (form) page(form);

function page(form: HTMLFormElement): void {
  const start = element<HTMLButtonElement>("start");
  const cancel = element<HTMLButtonElement>("cancel");
  const drop = element("drop");
  let files: LocalFile[] = [];
  let session: Session | null = null;
  let control = new AbortController();
  let busy = false;

  function choose(found: LocalFile[]): void {
    if (busy) return;
    files = found;
    const problem = quotaProblem(form, files);
    element("chosen").textContent =
      problem ?? `${files.length} ${files.length === 1 ? "file" : "files"}, ${readable(sizeOf(files))}.`;
    element("chosen").classList.toggle("text-danger", problem !== null);
    start.disabled = problem !== null;
  }

  for (const id of ["pick-folder", "pick-files"]) {
    const picker = element<HTMLInputElement>(id);
    picker.addEventListener("change", () => {
      if (picker.files) choose(fromPicker(picker.files));
    });
  }
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("border-primary");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("border-primary"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("border-primary");
    if (!event.dataTransfer) return;
    fromDrop(event.dataTransfer.items).then(choose, () => {
      element("chosen").textContent = "The folder could not be read: choose it with the button.";
    });
  });

  cancel.addEventListener("click", () => {
    control.abort();
  });

  window.addEventListener("beforeunload", (event) => {
    if (busy && session) event.preventDefault();
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!busy && files.length > 0) void run();
  });

  async function run(): Promise<void> {
    busy = true;
    start.disabled = true;
    cancel.hidden = false;
    control = new AbortController();
    showIssues([], files);
    outcome("", "");
    element("stages").hidden = false;
    bar("send", 0);
    bar("import", 0);
    try {
      const data = new FormData(form);
      const text = (name: string): string => String(data.get(name) ?? "");
      const fields = { site: text("site"), subject: text("subject"), cohort: text("cohort") };
      session = await announce(form.dataset["sessionsUrl"] ?? "", fields, files);
      const total = Math.max(sizeOf(files), 1);
      await sendAll(session, files, control.signal, (bytes) => bar("send", bytes / total));
      bar("send", 1);
      cancel.hidden = true;
      let status = await complete(session);
      while (!ENDED.has(status.import_state ?? "")) {
        show(status);
        await new Promise((done) => setTimeout(done, POLL_MS));
        status = await statusOf(session);
      }
      show(status);
      finish(status);
    } catch (error) {
      await failed(error);
    } finally {
      busy = false;
      session = null;
      cancel.hidden = true;
      start.disabled = false;
    }
  }

  async function failed(error: unknown): Promise<void> {
    let text = error instanceof Error ? error.message : "The upload failed.";
    if (error instanceof UploadError && error.fileIndex !== null) text = `${nameOf(error.fileIndex, files)}: ${text}`;
    if (control.signal.aborted) text = "Aborted by you.";
    // Other files may still be on their way: end them before their bytes are erased.
    control.abort();
    if (session && !element<HTMLButtonElement>("cancel").hidden) {
      try {
        await abort(session);
        text += " What was sent has been erased.";
      } catch {
        text += " What was sent is erased within a day.";
      }
    }
    outcome("danger", text);
  }

  function show(status: Status): void {
    bar("import", status.finished ? 1 : status.progress, status.stage || "waiting for a worker");
    showIssues(status.issues, files);
  }

  function finish(status: Status): void {
    if (status.exam) {
      const left = status.issues.length > 0 ? " Some files were left out: see below." : "";
      outcome("success", `The examination is in quality control.${left}`, status.exam, "Open the exam");
    } else {
      outcome("danger", withNames(status.message, files) || "The import failed.", status.import, "Open the import");
    }
  }
}

function quotaProblem(form: HTMLFormElement, files: readonly LocalFile[]): string | null {
  const maxFiles = Number(form.dataset["maxFiles"]);
  const maxBytes = Number(form.dataset["maxBytes"]);
  if (files.length === 0) return "There is no file in what you chose.";
  if (files.length > maxFiles) return `${files.length} files are more than the ${maxFiles} allowed.`;
  if (sizeOf(files) > maxBytes) return `${readable(sizeOf(files))} is more than the ${readable(maxBytes)} allowed.`;
  return null;
}

function bar(stage: string, fraction: number, text = ""): void {
  const item = document.querySelector<HTMLElement>(`#stages [data-stage="${stage}"]`);
  const progress = item?.querySelector("progress");
  if (progress) progress.value = fraction;
  const place = item?.querySelector<HTMLElement>("[data-text]");
  if (place) place.textContent = text;
}

function showIssues(issues: readonly Issue[], files: readonly LocalFile[]): void {
  const table = element<HTMLTableElement>("issues");
  table.hidden = issues.length === 0;
  const rows = issues.map((issue) => {
    const row = document.createElement("tr");
    if (issue.fatal) row.classList.add("table-danger");
    const inside = issue.member === null ? "" : `, file ${issue.member + 1} in it`;
    for (const text of [nameOf(issue.file_index, files) + inside, withNames(issue.message, files), issue.code]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  table.tBodies[0]?.replaceChildren(...rows);
}

function outcome(kind: string, text: string, url: string | null = null, label = ""): void {
  const place = element("outcome");
  if (!text) {
    place.replaceChildren();
    return;
  }
  const box = document.createElement("div");
  box.className = `alert alert-${kind}`;
  box.append(text);
  if (url) {
    const link = document.createElement("a");
    link.href = url;
    link.className = "alert-link";
    link.textContent = label;
    box.append(" ", link);
  }
  place.replaceChildren(box);
}
