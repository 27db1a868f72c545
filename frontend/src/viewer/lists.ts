/** The vessel list, the lesion table and the patient's row. */
import { printed } from "../numbers";
import { el } from "./dom";
import { SPACING_ALONG } from "./geometry/sampler";
import { interval, range, written } from "./metrics";
import { type CaseInfo, type Column, type Lesion, type Metric } from "./model";
import { type Layer, type Viewer } from "./viewer";

export function vesselList(viewer: Viewer, open: (name: string) => void): HTMLElement {
  const { vessel: current } = viewer.view.get();
  const list = el("ul", { class: "vessels", "data-testid": "vessels" });
  for (const vessel of viewer.info.vessels) {
    const reviewed = viewer.reviewed.get(vessel.name) ?? false;
    const opened = viewer.opened.has(vessel.name);
    const [sign, meaning] = reviewed ? ["✓", "reviewed"] : opened ? ["●", "opened"] : ["○", "not opened"];
    const count = vessel.name === current ? viewer.lesions().length : vessel.lesions;
    const button = el(
      "button",
      {
        type: "button", "data-vessel": vessel.name, "data-status": meaning,
        "aria-current": vessel.name === current ? "true" : null,
        title: `${vessel.name}: ${meaning}, ${printed(vessel.arc_length_mm, 0)} mm, ${vessel.segments.map(([name]) => name).filter(Boolean).join(", ")}`,
      },
      el("span", { class: "name" }, vessel.name),
      el("span", { class: "count" }, count > 0 ? `${count} lesion${count > 1 ? "s" : ""}` : ""),
      el("span", { class: `sign ${meaning.replace(" ", "-")}`, "aria-label": meaning }, sign),
    );
    button.addEventListener("click", () => open(vessel.name));
    list.append(el("li", {}, button));
  }
  return list;
}

function valueCell(metric: Metric | undefined, column: Column): HTMLTableCellElement {
  const cell = el("td", { "data-metric": column.metric });
  if (!metric) {
    cell.append(el("span", { class: "value none", title: "not computed for this lesion" }, "·"));
    return cell;
  }
  const text = written(metric.value, column);
  cell.append(el("span", { class: "value", title: text === "n/e" ? "not evaluable" : null }, text));
  const between = range(metric, column);
  if (between) cell.append(el("span", { class: "range", title: "with both contours 0.1 mm inwards and outwards" }, between));
  const held = interval(metric, column);
  if (held) cell.append(el("span", { class: "range interval", title: "holds the truth nine times in ten, as simulated patients showed" }, held));
  return cell;
}

function flags(lesion: Lesion): HTMLElement {
  const words = (code: string): string => code.replaceAll("_", " ").replaceAll("-", " ");
  return el(
    "td", { class: "flags" },
    ...lesion.flags.map((flag) => el("span", { class: "flag" }, words(flag))),
    ...(lesion.doubts ?? []).map((doubt) => el("span", { class: "flag doubt", title: doubt.message, "data-doubt": doubt.code }, words(doubt.code))),
  );
}

function lesionRow(viewer: Viewer, layer: Layer, lesion: Lesion): HTMLTableRowElement {
  const chosen = viewer.view.get().lesion === lesion.number;
  const row = el(
    "tr",
    { "data-lesion": lesion.number, "data-side": layer.side, "aria-selected": chosen ? "true" : "false", tabindex: -1 },
    el("th", { scope: "row" }, `${layer.side ?? ""}${layer.side ? " " : ""}${lesion.number}`),
    el("td", { class: "text" }, lesion.segment || "–"),
    el("td", {}, el("span", { class: "value" }, `${printed(lesion.start_mm, 1)}–${printed(lesion.end_mm, 1)}`)),
    ...viewer.info.columns.lesion.map((column) => valueCell(lesion.metrics[column.metric], column)),
    flags(lesion),
  );
  row.addEventListener("click", () => {
    viewer.view.set({ lesion: lesion.number, pendingStart: null });
    viewer.moveTo((lesion.start_mm + lesion.end_mm) / 2 / SPACING_ALONG);
  });
  return row;
}

/** What stands where a vessel has no lesion row: these four are different findings. */
export function emptyText(status: string): string {
  switch (status) {
    case "no plaque":
      return "No plaque: this vessel was read and holds no lesion.";
    case "not annotated":
      return "Not annotated: nobody has said anything about plaque in this vessel yet.";
    case "uncertain":
      return "Uncertain: the reader marked this vessel as uncertain.";
    case "not evaluable":
      return "Not evaluable: the image does not allow a statement about this vessel.";
    default:
      return "No lesion in this vessel.";
  }
}

/** What is known of a vessel before anybody has said where plaque is; a 0 of the rest would read as a finding. */
const WITHOUT_LESIONS = new Set(["vessel_volume", "lumen_volume"]);

export function lesionTable(viewer: Viewer): HTMLElement {
  const layers = viewer.allLayers();
  const vessel = viewer.view.get().vessel;
  const columns = viewer.info.columns.lesion;
  const head = el(
    "tr", {},
    el("th", { scope: "col" }, "#"),
    el("th", { scope: "col", class: "text" }, "Segment"),
    el("th", { scope: "col" }, "From–to", el("small", {}, "mm")),
    ...columns.map((column) =>
      el("th", { scope: "col", title: column.label }, column.short, el("small", {}, column.unit)),
    ),
    el("th", { scope: "col", class: "text" }, "Flags"),
  );
  const body = el("tbody");
  // Reads A and B stand one under the other where their lesions lie at the same place.
  layers
    .flatMap((layer) => layer.state.lesions.map((lesion) => ({ layer, lesion })))
    .sort((a, b) => a.lesion.start_mm - b.lesion.start_mm)
    .forEach(({ layer, lesion }) => body.append(lesionRow(viewer, layer, lesion)));
  for (const layer of layers) {
    if (layer.state.lesions.length === 0) {
      const text = `${layer.side ? `${layer.side}: ` : ""}${emptyText(layer.state.status)}`;
      body.append(el("tr", { class: "empty" }, el("td", { colspan: columns.length + 4, "data-testid": "empty-lesions" }, text)));
    }
    const rows = new Map(layer.state.measurements.filter((row) => row.level === "vessel").map((row) => [row.metric, row]));
    if (rows.size > 0) {
      body.append(
        el(
          "tr", { class: "sum" },
          el("th", { scope: "row" }, layer.side ?? ""),
          el("td", { class: "text", colspan: 2 }, `${vessel}, whole vessel`),
          ...columns.map((column) =>
            valueCell(layer.state.status === "not annotated" && !WITHOUT_LESIONS.has(column.metric) ? undefined : rows.get(column.metric), column)),
          el("td", { class: "flags" }, ...layer.state.excluded.map(([start, end, reason]) =>
            el("span", { class: "flag" }, `not evaluable ${printed(start, 1)}–${printed(end, 1)} mm: ${reason}`))),
        ),
      );
    }
  }
  return el("table", { class: "lesions", "data-testid": "lesions" }, el("thead", {}, head), body);
}

/** Nobody has marked a lesion, nor said of every vessel that there is none: zeros would read as a finding. */
export function notAnnotated(info: Pick<CaseInfo, "mode" | "vessels">): boolean {
  return info.mode !== "adjudicate" && info.vessels.every((vessel) => vessel.lesions === 0) && info.vessels.some((vessel) => !vessel.reviewed);
}

export function patientRow(info: CaseInfo): HTMLElement {
  const patient = new Map(info.patient.filter((row) => row.level === "patient").map((row) => [row.metric, row]));
  const line = el("dl", { class: "patient", "data-testid": "patient" });
  const say = (text: string): void => line.append(el("div", {}, el("dt", {}, "Patient"), el("dd", {}, text)));
  if (info.mode === "adjudicate") {
    if (patient.size === 0) say("A and B side by side under “Compare and decide”");
  } else if (notAnnotated(info)) {
    const reviewed = info.vessels.filter((vessel) => vessel.reviewed).length;
    say(`not annotated: no lesion marked, ${reviewed} of ${info.vessels.length} vessels reviewed`);
    return line;
  } else if (patient.size === 0) {
    say("no numbers yet");
  }
  for (const item of info.columns.patient) {
    const row = patient.get(item.metric);
    if (!row) continue;
    const between = range(row, item);
    line.append(
      el(
        "div", { "data-metric": item.metric, title: item.label },
        el("dt", {}, item.short),
        el("dd", {}, written(row.value, item), el("small", {}, `${between ? ` (${between})` : ""}${item.unit ? ` ${item.unit}` : ""}`)),
      ),
    );
  }
  return line;
}
