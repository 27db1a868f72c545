/** One dialog at a time: keys, submit and sign, signed, changed elsewhere. */
import { COMMANDS, GROUPS, keyLabel, offered, type Mode } from "./commands";
import { el, need } from "./dom";
import { type Form } from "./model";

/** Open a dialog with this content, in place of any other. */
export function show(name: string, title: string, ...content: (Node | string)[]): HTMLDialogElement {
  document.querySelector<HTMLDialogElement>("dialog[open]")?.close();
  const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, "✕");
  const dialog = el(
    "dialog", { class: `dialog dialog-${name}`, "data-testid": `dialog-${name}`, "aria-label": title },
    el("header", {}, el("h2", {}, title), close), ...content,
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A server's time as "2026-11-23 09:12:00 UTC". */
export function utc(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : `${at.toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

export function openDialog(): HTMLDialogElement | null {
  return document.querySelector<HTMLDialogElement>("dialog[open]");
}

export function help(mode: Mode, mayEdit: boolean): void {
  const groups = GROUPS.map((group) => {
    const items = COMMANDS.filter((item) => item.group === group && offered(item, mode, mayEdit));
    if (items.length === 0) return "";
    return el(
      "section", {},
      el("h3", {}, group),
      el(
        "dl", {},
        ...items.flatMap((item) => [
          el("dt", {}, ...[...new Set(item.keys.map(keyLabel))].map((key) => el("kbd", {}, key))),
          el("dd", { "data-help": item.id }, item.label),
        ]),
      ),
    );
  });
  const mouse = el(
    "section", {},
    el("h3", {}, "Mouse"),
    el(
      "dl", {},
      ...[
        ["Wheel", "Section (in the CT: slice)"],
        ["Left drag", mayEdit ? "Near the active contour: move it; elsewhere (or with Shift): window" : "Window"],
        ["Left drag in the straightened view", "Rotate; a click moves the cursor"],
        ["Click in the CT", "Cursor to the nearest point of the vessel"],
        ["Middle drag", "Pan"],
        ["Right drag", "Zoom"],
        ["Double click", "Pane large, or back"],
      ].flatMap(([what, does]) => [el("dt", {}, what), el("dd", {}, does)]),
    ),
  );
  show("help", "Keys", el("div", { class: "help" }, ...groups, mouse));
}

export interface FormFields {
  readonly element: HTMLElement;
  read(): Form;
}

export function readForm(form: Partial<Form>): FormFields {
  const words = ["non-diagnostic", "poor", "adequate", "good", "excellent"];
  const quality = el(
    "fieldset", {},
    el("legend", {}, "Image quality"),
    el(
      "div", { class: "choices" },
      ...words.map((word, n) =>
        el(
          "label", {},
          el("input", { type: "radio", name: "image_quality", value: n + 1, required: true, checked: form.image_quality === n + 1 }),
          el("span", {}, `${n + 1} `, el("small", {}, word)),
        ),
      ),
    ),
  );
  const remarks = el("textarea", { name: "remarks", rows: 3, maxlength: 4000 });
  remarks.value = form.remarks ?? "";
  const element = el("div", {}, quality, el("label", { class: "block" }, "Remarks", remarks));
  return {
    element,
    read: () => {
      const chosen = quality.querySelector<HTMLInputElement>("input:checked");
      return { image_quality: chosen ? Number(chosen.value) : null, remarks: remarks.value.trim() };
    },
  };
}

export function passwordField(demonstrationPassword: string | null): HTMLElement {
  return el(
    "label", { class: "block" }, "Password",
    el("input", { type: "password", name: "password", required: true, autocomplete: "current-password" }),
    demonstrationPassword && el("small", {}, "Demonstration password: ", el("code", {}, demonstrationPassword)),
  );
}

/** A form that tells what went wrong in place, and can't be sent twice. */
export function sendingForm(
  send: (form: HTMLFormElement) => Promise<void>, button: string, ...content: (Node | string)[]
): HTMLFormElement {
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const submit = el("button", { type: "submit", class: "primary" }, button);
  const form = el("form", {}, ...content, problem, el("footer", {}, submit));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit.disabled = true;
    problem.hidden = true;
    send(form).catch((error: unknown) => {
      problem.textContent = error instanceof Error ? error.message : String(error);
      problem.hidden = false;
      submit.disabled = false;
      form.querySelector<HTMLInputElement>('input[type="password"]')?.select();
    });
  });
  return form;
}

export interface SignOptions {
  readonly printedName: string;
  readonly form: Partial<Form>;
  readonly notReviewed: readonly string[];
  readonly demonstrationPassword: string | null;
  sign(password: string, form: Form): Promise<void>;
  /** Hears what the form says when the dialog goes, so that nothing typed is lost. */
  keep(form: Form): void;
}

export function sign(options: SignOptions): void {
  const fields = readForm(options.form);
  const form = sendingForm(
    (sent) => options.sign(need<HTMLInputElement>('input[name="password"]', sent).value, fields.read()),
    "Sign and submit",
    options.notReviewed.length > 0
      ? el("p", { class: "note" }, `Not marked as reviewed: ${options.notReviewed.join(", ")}.`)
      : "",
    fields.element,
    el(
      "dl", { class: "facts" },
      el("dt", {}, "Signed by"), el("dd", { "data-testid": "printed-name" }, options.printedName),
      el("dt", {}, "Meaning"), el("dd", {}, "Authorship: I made this read"),
    ),
    passwordField(options.demonstrationPassword),
    el("p", { class: "hint" }, "After signing, this read can't be changed."),
  );
  const dialog = show("sign", "Submit and sign", form);
  dialog.addEventListener("close", () => options.keep(fields.read()));
  (form.querySelector<HTMLElement>("input:checked") ?? form.querySelector<HTMLElement>("input"))?.focus();
}

export function signed(
  title: string, facts: readonly (readonly [string, string])[], nextUrl: string | null, listUrl: string | null,
): void {
  const next = nextUrl && el("a", { class: "button primary", href: nextUrl, "data-testid": "next-case", autofocus: true }, "Next case");
  const list = listUrl && el("a", { class: "button", href: listUrl, autofocus: !nextUrl }, "Work list");
  const dialog = show(
    "signed", title,
    el("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("footer", {}, list || "", next || (listUrl ? "" : "You may close this window.")),
  );
  dialog.querySelector<HTMLElement>("[autofocus]")?.focus();
}

export function conflict(detail: string): void {
  const reload = el("button", { type: "button", class: "primary", "data-testid": "reload" }, "Reload");
  reload.addEventListener("click", () => location.reload());
  const dialog = show(
    "conflict", "This read was changed elsewhere",
    el("p", {}, detail),
    el("p", {}, "It is open in another window or tab. Reload to go on from what is stored; the last change here was not stored."),
    el("footer", {}, reload),
  );
  dialog.querySelector<HTMLElement>("footer button")?.focus();
}
