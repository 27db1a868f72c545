/** The export menu of a figure: pictures are made here, tables and numbers come from the server. */
import Plotly from "plotly.js-cartesian-dist-min";
import { forExport } from "./figures";
import { figureOf } from "./plots";

const WIDTH = 1000;

export function exportMenus(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const inside = event.target.closest("details.dash-export");
    for (const open of document.querySelectorAll<HTMLDetailsElement>("details.dash-export[open]")) {
      if (open !== inside || event.target.closest("a, button")) open.open = false;
    }
    const button = event.target.closest<HTMLElement>("[data-export]");
    const figure = button?.closest<HTMLElement>(".dash-figure");
    if (!button || !figure) return;
    if (button.dataset["export"] === "sentence") sentence(figure);
    else picture(figure, button.dataset["export"] === "png" ? "png" : "svg").catch(console.error);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of document.querySelectorAll<HTMLDetailsElement>("details.dash-export[open]")) {
      open.open = false;
      open.querySelector("summary")?.focus();
    }
  });
}

async function picture(figure: HTMLElement, format: "svg" | "png"): Promise<void> {
  const target = figure.querySelector<HTMLElement>(".dashboard-figure");
  const dashboard = document.getElementById("dashboard");
  const drawing = target && figureOf(target);
  if (!target || !drawing || !dashboard) return;
  const height = Number(drawing.layout["height"]) || target.clientHeight;
  const words = {
    title: figure.querySelector("h2")?.textContent?.trim() ?? "",
    caption: figure.querySelector("figcaption")?.textContent?.trim() ?? "",
    watermark: dashboard.dataset["watermark"] ?? "",
  };
  const layout = forExport(drawing.layout, { width: WIDTH, height }, words);
  await Plotly.downloadImage(
    { data: drawing.data, layout },
    {
      format,
      width: WIDTH,
      height: layout["height"],
      scale: format === "png" ? 2 : 1,
      filename: `${dashboard.dataset["file"]}-${figure.dataset["plot"]}`,
    },
  );
}

/** Shows the manuscript sentences below the figure and copies them where the browser lets us. */
function sentence(figure: HTMLElement): void {
  const box = figure.querySelector<HTMLElement>(".dash-sentence");
  if (!box) return;
  box.hidden = false;
  const text = [...box.querySelectorAll("p")].map((each) => each.textContent?.trim() ?? "").join("\n");
  const status = box.querySelector<HTMLElement>(".dash-copied");
  const say = (words: string) => {
    if (status) status.textContent = words;
  };
  if (!navigator.clipboard) return say("");
  navigator.clipboard.writeText(text).then(() => say("Copied."), () => say("Select the text to copy it."));
}
