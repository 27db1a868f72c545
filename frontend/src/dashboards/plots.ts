/** Drawing the figures of a page, in the page's light or dark, and following clicks on them. */
import Plotly from "plotly.js-cartesian-dist-min";
import { type Figure, inked, inkedData, linkOf, parseFigure, selectionOf } from "./figures";

const CONFIG = {
  responsive: true,
  displaylogo: false,
  modeBarButtonsToRemove: ["toImage", "lasso2d", "select2d", "autoScale2d"],
};
const drawn = new Map<HTMLElement, Figure>();

function ink() {
  const style = getComputedStyle(document.body);
  return { text: style.color, paper: style.backgroundColor };
}

/** Draws what is in `root` and not drawn yet; `select` is called with the selection behind a clicked point. */
export function drawAll(root: ParentNode, select: (selection: string) => void): void {
  for (const target of drawn.keys()) if (!target.isConnected) forget(target);
  for (const target of root.querySelectorAll<HTMLElement>(".dashboard-figure:not([data-drawn])")) {
    draw(target, select).catch((error: unknown) => {
      target.textContent = "This figure could not be drawn. The numbers beside it are complete.";
      console.error(error);
    });
  }
}

async function draw(target: HTMLElement, select: (selection: string) => void): Promise<void> {
  const figure = parseFigure(document.getElementById(target.dataset["figure"] ?? "")?.textContent);
  if (!figure) throw new Error(`no figure for #${target.dataset["figure"]}`);
  target.dataset["drawn"] = "begun";
  drawn.set(target, figure);
  const plot = await Plotly.newPlot(target, inkedData(figure.data, ink()), inked(figure.layout, ink()), CONFIG);
  plot.on("plotly_click", (event) => {
    for (const point of event.points) {
      const selection = selectionOf(point.customdata);
      if (selection) return select(selection);
      const link = linkOf(point.customdata);
      if (link) return window.location.assign(link);
    }
  });
  target.dataset["drawn"] = "yes";
}

function forget(target: HTMLElement): void {
  Plotly.purge(target);
  drawn.delete(target);
}

/** The figure that was drawn there. */
export function figureOf(target: HTMLElement): Figure | undefined {
  return drawn.get(target);
}

/** Draws every figure again in new colours when the person switches between light and dark. */
export function followTheme(): void {
  new MutationObserver(() => {
    for (const [target, figure] of drawn) {
      Plotly.react(target, inkedData(figure.data, ink()), inked(figure.layout, ink()), CONFIG).catch(console.error);
    }
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
}
