/** The few calls that the dashboards make of Plotly's cartesian bundle, which ships without types. */
declare module "plotly.js-cartesian-dist-min" {
  export interface Point {
    customdata?: unknown;
  }
  export interface GraphDiv extends HTMLElement {
    on(event: "plotly_click", listener: (event: { points: Point[] }) => void): void;
  }
  export interface Figure {
    data: unknown[];
    layout: Record<string, unknown>;
  }
  const Plotly: {
    newPlot(
      target: HTMLElement,
      data: unknown[],
      layout: Record<string, unknown>,
      config: Record<string, unknown>,
    ): Promise<GraphDiv>;
  };
  export default Plotly;
}
