/** Dashboards: draws the figures of a page, and follows a click on a point to the case behind it. */
import Plotly from "plotly.js-cartesian-dist-min";
import "./dashboards.css";
import { linkOf, parseFigure } from "./figures";

const CONFIG = {
  responsive: true,
  displaylogo: false,
  modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
  toImageButtonOptions: { format: "svg" },
};

async function draw(target: HTMLElement): Promise<void> {
  const figure = parseFigure(document.getElementById(target.dataset["figure"] ?? "")?.textContent);
  if (!figure) throw new Error(`no figure for #${target.dataset["figure"]}`);
  const plot = await Plotly.newPlot(target, figure.data, { ...figure.layout, autosize: true }, CONFIG);
  plot.on("plotly_click", (event) => {
    for (const point of event.points) {
      const link = linkOf(point.customdata);
      if (link) {
        window.location.assign(link);
        return;
      }
    }
  });
  target.dataset["drawn"] = "yes";
}

for (const target of document.querySelectorAll<HTMLElement>(".dashboard-figure")) {
  draw(target).catch((error: unknown) => {
    target.textContent = "This figure could not be drawn. The numbers beside it are complete.";
    console.error(error);
  });
}

// Filters apply as they are chosen; the button remains for keyboards and for typed numbers.
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
