/** Dashboards: figures that lead to their cases, filters that live in the address, exports. */
import htmx from "htmx.org";
import "./dashboards.css";
import { exportMenus } from "./exports";
import { drawAll, followTheme } from "./plots";

/** Shows the cases behind a point; a single case opens at once. */
function select(selection: string): void {
  const dashboard = document.getElementById("dashboard");
  if (!dashboard) return;
  const query = new URLSearchParams(dashboard.dataset["query"]);
  query.set("selection", selection);
  query.set("go", "1");
  void htmx.ajax("get", `${dashboard.dataset["cases"]}?${query}`, { target: "#cases", swap: "innerHTML" });
}

drawAll(document, select);
document.addEventListener("htmx:load", (event) => {
  if (event.target instanceof HTMLElement) drawAll(event.target.parentElement ?? event.target, select);
});
followTheme();
exportMenus();

// Empty filters do not clutter the address.
document.addEventListener("htmx:configRequest", (event) => {
  const { detail } = event as CustomEvent<{ elt: Element; parameters: Record<string, unknown> }>;
  if (detail.elt.id !== "filters") return;
  for (const name of Object.keys(detail.parameters)) if (detail.parameters[name] === "") delete detail.parameters[name];
});

// A slider moves its number at once; the page follows when it is let go.
document.addEventListener("input", (event) => {
  if (!(event.target instanceof HTMLInputElement)) return;
  const { slider } = event.target.dataset;
  const pair = slider
    ? document.getElementById(slider)
    : document.querySelector(`[data-slider="${CSS.escape(event.target.id)}"]`);
  if (pair instanceof HTMLInputElement) pair.value = event.target.value;
});

// Another marker has another cut-off: the old one does not stay behind in the address.
document.addEventListener("change", (event) => {
  if (!(event.target instanceof HTMLSelectElement) || event.target.id !== "field-marker") return;
  const cut = document.getElementById("field-cut");
  if (cut instanceof HTMLInputElement) cut.value = "";
}, { capture: true });
