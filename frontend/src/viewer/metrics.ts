/** How measurements are written for a person. Words, units and digits come with the case; none stand here. */
import { printed } from "../numbers";
import { type Column, type Metric } from "./model";

/** A value as its column prints it; "n/e" for what could not be evaluated. */
export function written(value: number | string | null | undefined, column: Pick<Column, "digits" | "borders">): string {
  if (value === null || value === undefined) return "n/e";
  if (typeof value === "string") return value;
  return Number.isFinite(value) ? printed(value, column.digits, column.borders) : "n/e";
}

/** "low–high", the value with both contours 0.1 mm inwards and outwards; empty where it was not computed. */
export function range(metric: Pick<Metric, "low" | "high">, column: Pick<Column, "digits" | "borders" | "ranged">): string {
  if (!column.ranged || metric.low === null || metric.high === null) return "";
  return between(Math.min(metric.low, metric.high), Math.max(metric.low, metric.high), column);
}

/** "90 %: low–high", the interval that holds the truth nine times in ten; empty where there is none. */
export function interval(metric: Pick<Metric, "interval_low" | "interval_high">, column: Pick<Column, "digits" | "borders">): string {
  const [low, high] = [metric.interval_low, metric.interval_high];
  return low === null || low === undefined || high === null || high === undefined ? "" : `90 %: ${between(low, high, column)}`;
}

function between(low: number, high: number, column: Pick<Column, "digits" | "borders">): string {
  const separator = low < 0 || high < 0 ? " to " : "–";
  return `${written(low, column)}${separator}${written(high, column)}`;
}
