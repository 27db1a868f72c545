/** One plane of the CT, switched by key; crosshair and vessel cursor are one. */
import { printed } from "../../numbers";
import { COLOURS, scaleBar, Screen } from "../drawing";
import { letters, nearestSection, negate } from "../geometry/frames";
import { apply, invert, type Plane, type Vector } from "../geometry/sampler";
import { paint, windowTable } from "../geometry/window";
import { type FromWorker, type ToWorker } from "../mpr.messages";
import { onDrag, onWheel, place, type Drag, type DragStart } from "../pointer";
import { type PlaneName } from "../state";
import { type Viewer } from "../viewer";
import { Corners } from "./corners";
import { windowDrag } from "./cross";

/** Patient axes (LPS) along right and down of each plane, and the one that scrolls. */
export const AXES: Record<PlaneName, { right: Vector; down: Vector; through: Vector }> = {
  axial: { right: [1, 0, 0], down: [0, 1, 0], through: [0, 0, 1] },
  coronal: { right: [1, 0, 0], down: [0, 0, -1], through: [0, 1, 0] },
  sagittal: { right: [0, 1, 0], down: [0, 0, -1], through: [1, 0, 0] },
};
const FIELD_MM = 90;
const NEAR_PLANE_MM = 1.5;
/** A click further from the vessel than this moves nothing. */
const REACH_MM = 12;

export class MprPane {
  private readonly screen: Screen;
  private readonly corners: Corners;
  private readonly worker: Worker | null = null;
  private readonly inverse: number[] = [];
  private zoom = 1;
  private pan: [number, number] = [0, 0];
  /** Scrolled away from the cursor, mm through the plane. */
  private offset = 0;
  private cursorKey = "";
  private asked = "";
  private busy = false;
  private started = false;
  private picture: { plane: Plane; hu: Int16Array } | null = null;
  private progress = "";
  private requestId = 0;
  private pointer: { x: number; y: number } | null = null;

  constructor(
    pane: HTMLElement,
    private readonly viewer: Viewer,
  ) {
    const canvas = pane.querySelector("canvas");
    if (!canvas) throw new Error("The CT pane has no canvas.");
    this.screen = new Screen(canvas);
    this.corners = new Corners(pane);
    onDrag(canvas, (press) => this.press(press));
    onWheel(canvas, (steps) => {
      this.offset += steps * 0.5;
      this.draw();
    });
    canvas.addEventListener("pointermove", (event) => {
      this.pointer = place(canvas, event);
      this.write();
    });
    canvas.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.write();
    });
    const { ct } = viewer.info;
    if (!ct) {
      this.progress = "No CT is stored for this exam.";
      return;
    }
    this.inverse = invert(ct.affine);
    this.worker = new Worker(new URL("../mpr.worker.ts", import.meta.url), { type: "module" });
    this.worker.onmessage = (event: MessageEvent<FromWorker>) => this.heard(event.data);
  }

  /** Start the CT's stream; called once the first vessel is readable, so that it never waits for the CT. */
  start(): void {
    const { ct } = this.viewer.info;
    if (!ct || !this.worker) return;
    const centre = this.cursorPoint();
    const nearest = centre ? apply(this.inverse, centre)[2] : ct.shape[0] / 2;
    this.progress = "CT 0 %";
    this.started = true;
    this.say({ type: "open", shape: ct.shape, affine: ct.affine, slabs: ct.slabs.map((slab) => ({ ...slab, url: new URL(slab.url, location.href).href })), nearest });
    this.draw();
  }

  fit(): void {
    this.zoom = 1;
    this.pan = [0, 0];
    this.offset = 0;
  }

  private say(message: ToWorker): void {
    this.worker?.postMessage(message);
  }

  private heard(message: FromWorker): void {
    if (message.type === "progress") {
      const percent = Math.floor((100 * message.done) / message.total);
      this.progress = message.done === message.total ? "" : `CT ${percent} %`;
      this.asked = "";
      this.draw();
    } else if (message.type === "failed") {
      this.progress = message.detail;
      this.write();
    } else {
      this.busy = false;
      this.picture = { plane: message.plane, hu: message.hu };
      this.draw();
    }
  }

  private cursorPoint(): Vector | null {
    const data = this.viewer.current();
    return data ? data.frames.centre[this.viewer.view.get().section] : null;
  }

  private plane(): Plane | null {
    const point = this.cursorPoint();
    if (!point || this.screen.width < 2) return null;
    const view = this.viewer.view.get();
    const { right, down, through } = AXES[view.plane];
    const key = `${view.vessel}/${view.section}/${view.plane}`;
    if (key !== this.cursorKey) {
      this.cursorKey = key;
      this.offset = 0;
    }
    const centre = point.map(
      (p, n) => p + this.pan[0] * right[n] + this.pan[1] * down[n] + this.offset * through[n],
    ) as unknown as Vector;
    const pixels = Math.min(this.screen.width, this.screen.height) * this.screen.scale;
    return {
      centre, right, down,
      mmPerPixel: FIELD_MM / this.zoom / pixels,
      width: Math.round(this.screen.width * this.screen.scale),
      height: Math.round(this.screen.height * this.screen.scale),
    };
  }

  draw(): void {
    const { screen, viewer } = this;
    if (!screen.begin()) return;
    const plane = this.plane();
    if (!plane) return;
    const wanted = JSON.stringify(plane);
    if (this.started && wanted !== this.asked && !this.busy) {
      this.asked = wanted;
      this.busy = true;
      this.say({ type: "plane", id: ++this.requestId, plane });
      const slice = apply(this.inverse, plane.centre)[2];
      this.say({ type: "nearest", slice });
    }
    const { picture } = this;
    if (picture && picture.plane.width === plane.width && picture.plane.height === plane.height) {
      const table = windowTable(viewer.view.get().window);
      screen.pixels(0, 0, screen.width, screen.height, (out) => {
        const count = Math.min(out.length, picture.hu.length);
        for (let n = 0; n < count; n++) out[n] = paint(table, picture.hu[n]);
      });
      this.drawVessel(picture.plane);
      scaleBar(screen, 1 / (picture.plane.mmPerPixel * screen.scale), 12, screen.height - 30);
    }
    this.write();
  }

  private toScreen(plane: Plane, point: Vector): { x: number; y: number; depth: number } {
    const { right, down, through } = AXES[this.viewer.view.get().plane];
    const d = point.map((p, n) => p - plane.centre[n]);
    const dot = (a: Vector) => a[0] * d[0] + a[1] * d[1] + a[2] * d[2];
    const pixelsPerMm = 1 / (plane.mmPerPixel * this.screen.scale);
    return {
      x: this.screen.width / 2 + dot(right) * pixelsPerMm,
      y: this.screen.height / 2 + dot(down) * pixelsPerMm,
      depth: dot(through),
    };
  }

  /** The centreline where it runs near this plane, and the crosshair with an open middle. */
  private drawVessel(plane: Plane): void {
    const data = this.viewer.current();
    const cursor = this.cursorPoint();
    if (!data || !cursor) return;
    const { context, width, height } = this.screen;
    context.setLineDash([]);
    context.strokeStyle = COLOURS.lumen;
    for (const near of [false, true]) {
      context.globalAlpha = near ? 0.9 : 0.25;
      context.lineWidth = near ? 1.6 : 1;
      context.beginPath();
      let drawing = false;
      for (const point of data.frames.centre) {
        const { x, y, depth } = this.toScreen(plane, point);
        const take = Math.abs(depth) < NEAR_PLANE_MM === near;
        if (take && drawing) context.lineTo(x, y);
        else if (take) context.moveTo(x, y);
        drawing = take;
      }
      context.stroke();
    }
    context.globalAlpha = 0.8;
    const { x, y } = this.toScreen(plane, cursor);
    context.strokeStyle = COLOURS.cursorLight;
    context.lineWidth = 1;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [[0, y, x - 14, y], [x + 14, y, width, y], [x, 0, x, y - 14], [x, y + 14, x, height]]) {
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  private write(): void {
    const view = this.viewer.view.get();
    const { right, down } = AXES[view.plane];
    const plane = this.picture?.plane;
    const through = AXES[view.plane].through;
    const at = plane ? plane.centre[0] * through[0] + plane.centre[1] * through[1] + plane.centre[2] * through[2] : null;
    this.corners.write({
      topLeft: view.plane[0].toUpperCase() + view.plane.slice(1),
      topRight: this.progress,
      bottomLeft: at === null ? "" : `${printed(at, 1)} mm`,
      bottomRight: this.under(),
      top: letters(negate(down)), bottom: letters(down), left: letters(negate(right)), right: letters(right),
    });
  }

  private under(): string {
    if (!this.pointer || !this.picture) return "";
    const { plane, hu } = this.picture;
    const x = Math.floor(this.pointer.x * this.screen.scale);
    const y = Math.floor(this.pointer.y * this.screen.scale);
    if (x < 0 || y < 0 || x >= plane.width || y >= plane.height) return "";
    const value = hu[y * plane.width + x];
    return `${value < 0 ? "−" : ""}${Math.abs(value)} HU`;
  }

  private press(press: DragStart): Drag | null {
    if (press.button === 1) {
      return {
        move: (_x, _y, dx, dy) => {
          const mm = (this.picture?.plane.mmPerPixel ?? 0) * this.screen.scale;
          this.pan = [this.pan[0] - dx * mm, this.pan[1] - dy * mm];
          this.draw();
        },
      };
    }
    if (press.button === 2) {
      return {
        move: (_x, _y, _dx, dy) => {
          this.zoom = Math.min(8, Math.max(0.4, this.zoom * Math.exp(-dy / 150)));
          this.draw();
        },
      };
    }
    if (press.button !== 0) return null;
    return {
      ...windowDrag(this.viewer),
      end: (x, y, moved) => {
        if (!moved) this.jump(x, y);
      },
    };
  }

  /** A click moves the vessel cursor to the centreline point nearest to it. */
  private jump(x: number, y: number): void {
    const data = this.viewer.current();
    const plane = this.picture?.plane;
    if (!data || !plane) return;
    const { right, down } = plane;
    const mm = plane.mmPerPixel * this.screen.scale;
    const [a, b] = [(x - this.screen.width / 2) * mm, (y - this.screen.height / 2) * mm];
    const point = plane.centre.map((c, n) => c + a * right[n] + b * down[n]) as unknown as Vector;
    const { section, distance } = nearestSection(data.frames, point);
    if (distance <= REACH_MM) {
      this.pan = [0, 0];
      this.viewer.moveTo(section);
    }
  }
}
