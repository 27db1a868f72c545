/** Canvas at the screen's own resolution, and the strokes that all panes share. */

export const COLOURS = {
  lumen: "#f4a261",
  wall: "#48bfe3",
  calcified: "#ffd60a",
  noncalcified: "#d62828",
  lowAttenuation: "#b5179e",
  lowOutline: "#ff9bf0",
  cursor: "#2a9d8f",
  cursorLight: "#5fe0d0",
  dim: "#8b949e",
  text: "#d7dce2",
  grid: "#30363d",
} as const;

const MOST_PIXELS_PER_POINT = 2;

/** A canvas whose drawing units are CSS pixels, with an image layer painted in device pixels beneath. */
export class Screen {
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;
  scale = 1;
  private image: ImageData | null = null;

  constructor(readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser has no 2-D canvas.");
    this.context = context;
  }

  /** Fit to the element's size; false when it is hidden. Clears to black. */
  begin(): boolean {
    const { clientWidth, clientHeight } = this.canvas;
    if (clientWidth < 2 || clientHeight < 2) return false;
    this.scale = Math.min(window.devicePixelRatio || 1, MOST_PIXELS_PER_POINT);
    const [w, h] = [Math.round(clientWidth * this.scale), Math.round(clientHeight * this.scale)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    this.width = clientWidth;
    this.height = clientHeight;
    this.context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.width, this.height);
    return true;
  }

  /** Paint device pixels into a rectangle given in CSS pixels. */
  pixels(
    x: number, y: number, width: number, height: number,
    fill: (out: Uint32Array, width: number, height: number) => void,
  ): void {
    const [w, h] = [Math.round(width * this.scale), Math.round(height * this.scale)];
    if (w < 1 || h < 1) return;
    if (!this.image || this.image.width !== w || this.image.height !== h) this.image = new ImageData(w, h);
    fill(new Uint32Array(this.image.data.buffer), w, h);
    this.context.putImageData(this.image, Math.round(x * this.scale), Math.round(y * this.scale));
  }
}

export type Point = readonly [number, number];

/** A smooth closed curve through points (Catmull-Rom as Béziers). */
export function closedCurve(context: CanvasRenderingContext2D, points: readonly Point[]): void {
  const n = points.length;
  context.beginPath();
  context.moveTo(points[0][0], points[0][1]);
  for (let i = 0; i < n; i++) {
    const [p0, p1, p2, p3] = [points[(i + n - 1) % n], points[i], points[(i + 1) % n], points[(i + 2) % n]];
    context.bezierCurveTo(
      p1[0] + (p2[0] - p0[0]) / 6, p1[1] + (p2[1] - p0[1]) / 6,
      p2[0] - (p3[0] - p1[0]) / 6, p2[1] - (p3[1] - p1[1]) / 6,
      p2[0], p2[1],
    );
  }
  context.closePath();
}

/** A line of known length, so that the scale can be read from any picture of a pane. */
export function scaleBar(screen: Screen, pixelsPerMm: number, x: number, y: number): void {
  const mm = [50, 20, 10, 5, 2, 1].find((each) => each * pixelsPerMm <= 110) ?? 1;
  const { context } = screen;
  const length = mm * pixelsPerMm;
  context.strokeStyle = COLOURS.text;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(x, y - 4);
  context.lineTo(x, y);
  context.lineTo(x + length, y);
  context.lineTo(x + length, y - 4);
  context.stroke();
  label(context, `${mm} mm`, x + length / 2, y - 6, "center");
}

/** Small text with a dark edge, readable on any grey. */
export function label(
  context: CanvasRenderingContext2D, text: string, x: number, y: number,
  align: CanvasTextAlign = "left", colour: string = COLOURS.text,
): void {
  context.font = "11px system-ui, -apple-system, 'Segoe UI', sans-serif";
  context.textAlign = align;
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0,0,0,.75)";
  context.lineJoin = "round";
  context.setLineDash([]);
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}
