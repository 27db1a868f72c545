/** The two reads' forms and numbers side by side, what differs by the charter's rules, and the decision. */
import { getJson, postJson } from "./api";
import * as dialogs from "./dialogs";
import { el, need } from "./dom";
import { range, written } from "./metrics";
import { type Column, type Form, type MeasurementRow } from "./model";
import { type Viewer } from "./viewer";

interface ReadSide {
  readonly form: Partial<Form>;
  readonly patient: readonly MeasurementRow[];
}

interface Difference {
  readonly rule: string;
  readonly level: string;
  readonly territory: string;
  readonly a: string | number | null;
  readonly b: string | number | null;
  readonly text: string;
}

export interface Comparison {
  readonly a: ReadSide;
  readonly b: ReadSide;
  readonly differs: readonly Difference[];
  readonly decided: { readonly choose: string; readonly reason: string; readonly decided_at: string } | null;
}

interface Decided extends Comparison {
  readonly next_url: string | null;
}

interface ComparisonRow {
  readonly name: string;
  readonly a: string;
  readonly b: string;
}

/** The rows of the comparison: the form's fields, then the patient's numbers. */
export function comparisonRows(comparison: Pick<Comparison, "a" | "b">, items: readonly Column[]): ComparisonRow[] {
  const quality = (form: Partial<Form>) => (form.image_quality ? `${form.image_quality} / 5` : "not given");
  const rows: ComparisonRow[] = [
    { name: "Image quality", a: quality(comparison.a.form), b: quality(comparison.b.form) },
    { name: "Remarks", a: comparison.a.form.remarks || "none", b: comparison.b.form.remarks || "none" },
  ];
  const find = (side: ReadSide, metric: string) => side.patient.find((row) => row.metric === metric && row.level === "patient");
  for (const item of items) {
    const [a, b] = [find(comparison.a, item.metric), find(comparison.b, item.metric)];
    if (!a && !b) continue;
    const text = (row: MeasurementRow | undefined) => {
      if (!row) return "–";
      const between = range(row, item);
      return `${written(row.value, item)}${between ? ` (${between})` : ""}`;
    };
    rows.push({ name: item.unit ? `${item.short}, ${item.unit}` : item.short, a: text(a), b: text(b) });
  }
  return rows;
}

export async function compare(viewer: Viewer, printedName: string): Promise<void> {
  const url = viewer.info.adjudication_url;
  if (!url) return;
  const comparison = await getJson<Comparison>(url);
  const table = el(
    "table", { class: "compare", "data-testid": "comparison" },
    el("thead", {}, el("tr", {}, el("th"), el("th", { scope: "col" }, "A"), el("th", { scope: "col" }, "B"))),
    el(
      "tbody", {},
      ...comparisonRows(comparison, viewer.info.columns.patient).map((row) =>
        el(
          "tr", { "data-differs": row.a === row.b ? null : "true" },
          el("th", { scope: "row" }, row.name, row.a === row.b ? "" : el("span", { class: "flag" }, "differs")),
          el("td", {}, row.a), el("td", {}, row.b),
        ),
      ),
    ),
  );
  const rules = el(
    "ul", { class: "differs" },
    ...comparison.differs.map((each) =>
      el("li", {}, el("strong", {}, [each.level, each.territory].filter(Boolean).join(" ")), " ", each.text || `${each.rule}: A ${each.a ?? "–"}, B ${each.b ?? "–"}`),
    ),
  );
  const parts = [el("div", {}, el("h3", {}, "Differs by the charter's rules"), rules, table)];
  const { decided } = comparison;
  if (decided) {
    dialogs.show("decide", "Adjudication", ...parts, el("p", { class: "note" }, `Decided at ${dialogs.utc(decided.decided_at)}: read ${decided.choose}. ${decided.reason}`));
    return;
  }
  if (!viewer.info.permissions.adjudicate) {
    dialogs.show("decide", "Adjudication", ...parts);
    return;
  }
  const reason = el("textarea", { name: "reason", rows: 3, required: true, maxlength: 4000 });
  const form = dialogs.sendingForm(
    async (sent) => {
      const choose = need<HTMLInputElement>('input[name="choose"]:checked', sent).value;
      const password = need<HTMLInputElement>('input[name="password"]', sent).value;
      const answer = await postJson<Decided>(url, { choose, reason: reason.value.trim(), password });
      dialogs.signed(
        "Decided and signed",
        [["Chosen", `Read ${choose}`], ["Signed by", printedName], ["At", dialogs.utc(answer.decided?.decided_at ?? "")]],
        answer.next_url, viewer.info.list_url,
      );
      await viewer.refreshCase();
    },
    "Decide and sign",
    el(
      "fieldset", {},
      el("legend", {}, "Decision"),
      el(
        "div", { class: "choices" },
        ...["A", "B"].map((side) =>
          el("label", {}, el("input", { type: "radio", name: "choose", value: side, required: true }), el("span", {}, `Choose read ${side}`)),
        ),
      ),
    ),
    el("label", { class: "block" }, "Reason", reason),
    el("dl", { class: "facts" }, el("dt", {}, "Signed by"), el("dd", {}, printedName), el("dt", {}, "Meaning"), el("dd", {}, "Adjudication: I chose this read")),
    dialogs.passwordField(viewer.info.demonstration_password),
  );
  dialogs.show("decide", "Adjudication", ...parts, form);
}
