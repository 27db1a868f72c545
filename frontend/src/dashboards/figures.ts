/** What a dashboard's figure carries: plotly JSON in an inert element, and per point [link, label]. */

export interface Figure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** Parses a figure; null when the text holds none. */
export function parseFigure(text: string | null | undefined): Figure | null {
  if (!text) return null;
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null) return null;
  const { data, layout } = parsed as Partial<Figure>;
  if (!Array.isArray(data) || typeof layout !== "object" || layout === null) return null;
  return { data, layout };
}

/** The address behind a point: its own site's path, or null. Other sites and schemes are never opened. */
export function linkOf(customdata: unknown): string | null {
  const link = first(customdata);
  return link !== null && link.startsWith("/") && !link.startsWith("//") ? link : null;
}

/** The selection behind a point (`?key=value&…`) without its question mark, or null. */
export function selectionOf(customdata: unknown): string | null {
  const link = first(customdata);
  return link !== null && link.startsWith("?") && link.length > 1 ? link.slice(1) : null;
}

function first(customdata: unknown): string | null {
  const link: unknown = Array.isArray(customdata) ? customdata[0] : customdata;
  return typeof link === "string" ? link : null;
}

/** Colours of text and lines that a figure takes over from the page. */
export interface Ink {
  text: string;
  paper: string;
}

/** The layout with the page's ink; the figure's own colours stay where they carry a meaning. */
export function inked(layout: Record<string, unknown>, ink: Ink): Record<string, unknown> {
  const font = { ...(layout["font"] as object | undefined), color: ink.text };
  return {
    ...layout,
    font,
    autosize: true,
    hoverlabel: { ...(layout["hoverlabel"] as object | undefined), bgcolor: ink.paper, font: { color: ink.text } },
  };
}

/** The traces with the page's ink in the numbers of a heat map: its pale cells let the page shine through. */
export function inkedData(data: Record<string, unknown>[], ink: Ink): Record<string, unknown>[] {
  return data.map((trace) => trace["type"] === "heatmap" ? { ...trace, textfont: { color: ink.text } } : trace);
}

const LINE = 118;

/** The text in lines of at most `width` characters, joined as plotly breaks lines. */
export function wrapped(text: string, width = LINE): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  if (line) lines.push(line);
  return lines.map((each) => each.replaceAll("<", "&lt;")).join("<br>");
}

/** A picture's layout: white paper, dark ink, its title above, its caption and the freeze's watermark below. */
export function forExport(
  layout: Record<string, unknown>,
  size: { width: number; height: number },
  words: { title: string; caption: string; watermark: string },
): Record<string, unknown> {
  const caption = wrapped(words.caption, Math.round(size.width / 6.2));
  const lines = caption.split("<br>").length + 1;
  const below = 70 + 15 * lines;
  const annotations = Array.isArray(layout["annotations"]) ? (layout["annotations"] as unknown[]) : [];
  const plot = size.height - 40;
  const note = {
    text: `${caption}<br><i>${wrapped(words.watermark, 400)}</i>`,
    xref: "paper", yref: "paper", x: 0, y: 0, xanchor: "left", yanchor: "top", yshift: -56,
    align: "left", showarrow: false, font: { size: 11, color: "#555555" },
  };
  return {
    ...inked(layout, { text: "#222222", paper: "#ffffff" }),
    autosize: false,
    width: size.width,
    height: plot + 40 + below,
    title: { text: words.title.replaceAll("<", "&lt;"), x: 0.01, xanchor: "left", font: { size: 15 } },
    margin: { l: 70, r: 24, t: 56, b: below },
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    annotations: [...annotations, note],
  };
}
