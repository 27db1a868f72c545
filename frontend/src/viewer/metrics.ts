/** How measurements are named and written for a person. Names are those of the measurement tables. */
import { type Metric } from "./model";

export interface Column {
  readonly metric: string;
  readonly short: string;
  readonly label: string;
  readonly unit: string;
  readonly digits: number;
}

export const LESION_COLUMNS: readonly Column[] = [
  { metric: "lesion_length", short: "Length", label: "Lesion length", unit: "mm", digits: 1 },
  { metric: "diameter_stenosis", short: "DS", label: "Diameter stenosis", unit: "%", digits: 0 },
  { metric: "diameter_stenosis_feret", short: "DS Feret", label: "Diameter stenosis by minimum Feret diameter", unit: "%", digits: 0 },
  { metric: "area_stenosis", short: "AS", label: "Area stenosis", unit: "%", digits: 0 },
  { metric: "minimal_luminal_area", short: "MLA", label: "Minimal luminal area", unit: "mm²", digits: 1 },
  { metric: "minimal_luminal_diameter", short: "MLD", label: "Minimal luminal diameter", unit: "mm", digits: 2 },
  { metric: "reference_luminal_diameter", short: "Ref. D", label: "Reference luminal diameter", unit: "mm", digits: 2 },
  { metric: "reference_luminal_area", short: "Ref. A", label: "Reference luminal area", unit: "mm²", digits: 1 },
  { metric: "total_plaque_volume", short: "Total", label: "Total plaque volume", unit: "mm³", digits: 1 },
  { metric: "noncalcified_plaque_volume", short: "Non-calc.", label: "Non-calcified plaque volume (contains low-attenuation)", unit: "mm³", digits: 1 },
  { metric: "calcified_plaque_volume", short: "Calcified", label: "Calcified plaque volume", unit: "mm³", digits: 1 },
  { metric: "low_attenuation_plaque_volume", short: "Low-att.", label: "Low-attenuation plaque volume (part of non-calcified)", unit: "mm³", digits: 1 },
  { metric: "total_plaque_burden", short: "Burden", label: "Total plaque burden", unit: "%", digits: 0 },
  { metric: "noncalcified_plaque_burden", short: "NC burden", label: "Non-calcified plaque burden", unit: "%", digits: 0 },
  { metric: "calcified_plaque_burden", short: "C burden", label: "Calcified plaque burden", unit: "%", digits: 0 },
  { metric: "low_attenuation_plaque_burden", short: "LA burden", label: "Low-attenuation plaque burden", unit: "%", digits: 1 },
  { metric: "vessel_volume", short: "Vessel", label: "Vessel volume", unit: "mm³", digits: 0 },
  { metric: "lumen_volume", short: "Lumen", label: "Lumen volume", unit: "mm³", digits: 0 },
  { metric: "remodelling_index", short: "RI", label: "Remodelling index (1.1 and more: positive)", unit: "–", digits: 2 },
  { metric: "contrast_density_difference", short: "CDD", label: "Contrast density difference", unit: "%", digits: 0 },
  { metric: "pericoronary_fat_attenuation", short: "FAI", label: "Pericoronary fat attenuation", unit: "HU", digits: 0 },
  { metric: "high_risk_features", short: "HRP", label: "High-risk plaque features (two and more: high-risk plaque)", unit: "count", digits: 0 },
];

export const PATIENT_ITEMS: readonly Column[] = [
  { metric: "cadrads", short: "CAD-RADS", label: "CAD-RADS category", unit: "", digits: 0 },
  { metric: "plaque_stage", short: "Plaque stage", label: "Plaque stage", unit: "", digits: 0 },
  { metric: "diameter_stenosis", short: "Worst DS", label: "Worst diameter stenosis", unit: "%", digits: 0 },
  { metric: "total_plaque_volume", short: "Total plaque", label: "Total plaque volume", unit: "mm³", digits: 1 },
  { metric: "noncalcified_plaque_volume", short: "Non-calc.", label: "Non-calcified plaque volume", unit: "mm³", digits: 1 },
  { metric: "calcified_plaque_volume", short: "Calcified", label: "Calcified plaque volume", unit: "mm³", digits: 1 },
  { metric: "low_attenuation_plaque_volume", short: "Low-att.", label: "Low-attenuation plaque volume", unit: "mm³", digits: 1 },
  { metric: "percent_atheroma_volume", short: "PAV", label: "Percent atheroma volume", unit: "%", digits: 1 },
];

const MINUS = "\u2212";

/** A number with fixed digits and a true minus sign; "n/e" for what could not be evaluated. */
export function written(value: number | string | null | undefined, digits: number): string {
  if (value === null || value === undefined) return "n/e";
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return "n/e";
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** "low–high", the value with both contours 0.1 mm inwards and outwards; empty where it was not computed. */
export function range(metric: Metric, digits: number): string {
  if (metric.unit === "category" || metric.unit === "stage" || metric.unit === "count") return "";
  if (metric.low === null || metric.high === null || metric.low === undefined || metric.high === undefined) return "";
  const [low, high] = metric.low <= metric.high ? [metric.low, metric.high] : [metric.high, metric.low];
  const separator = low < 0 || high < 0 ? " to " : "–";
  return `${written(low, digits)}${separator}${written(high, digits)}`;
}
