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

// The outcome page's filters apply as they are chosen; the button remains for keyboards and for typed numbers.
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-filters]")) {
  form.addEventListener("change", (event) => {
    const changed = event.target;
    if (changed instanceof HTMLSelectElement) {
      const cut = changed.selectedOptions[0]?.dataset["cut"];
      const field = form.elements.namedItem("cut");
      if (cut && field instanceof HTMLInputElement) field.value = cut;
      form.requestSubmit();
    }
  });
}
