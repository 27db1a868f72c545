/** What a dashboard's figure carries: plotly JSON in a script element, and per point [link, label]. */

export interface Figure {
  data: unknown[];
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
  const link: unknown = Array.isArray(customdata) ? customdata[0] : null;
  if (typeof link !== "string" || !link.startsWith("/") || link.startsWith("//")) return null;
  return link;
}
