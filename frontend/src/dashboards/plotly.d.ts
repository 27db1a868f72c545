/** The few calls that the dashboards make of Plotly's cartesian bundle, which ships without types. */
declare module "plotly.js-cartesian-dist-min" {
  export interface Point {
    customdata?: unknown;
  }
  export interface GraphDiv extends HTMLElement {
    on(event: "plotly_click", listener: (event: { points: Point[] }) => void): void;
  }
  type Layout = Record<string, unknown>;
  const Plotly: {
    newPlot(target: HTMLElement, data: unknown[], layout: Layout, config: Layout): Promise<GraphDiv>;
    react(target: HTMLElement, data: unknown[], layout: Layout, config: Layout): Promise<GraphDiv>;
    purge(target: HTMLElement): void;
    downloadImage(figure: unknown, options: Record<string, unknown>): Promise<string>;
  };
  export default Plotly;
}
