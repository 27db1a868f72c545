/** The large cross-section: image, composition, contours with handles, dragging, HU under the pointer. */
import { printed } from "../../numbers";
import { COLOURS, scaleBar, Screen } from "../drawing";
import { letters, negate } from "../geometry/frames";
import {
  angleOf, ANGLES, DEFAULT_WIDTH_RAD, DEFAULT_WIDTH_SECTIONS, type Move, moveContour, radiusAt,
} from "../geometry/polar";
import { renderSection } from "../geometry/render";
import { HALF_FIELD, sampleStraightened, SIZE, SPACING_ACROSS, SPACING_ALONG } from "../geometry/sampler";
import { windowTable } from "../geometry/window";
import { onDrag, onWheel, place, type Drag, type DragStart } from "../pointer";
import { type Viewer } from "../viewer";
import { Corners } from "./corners";
import { drawComposition, drawContours, drawPlaqueMarks, type Placement } from "./section";

/** Shows 11 of the 20 mm across: a coronary fills the pane, its surroundings stay in sight. */
const FIRST_ZOOM = 1.8;
const HANDLES = 16;
const REACH_PX = 14;
const CLASSES = ["", "low-attenuation", "non-calcified", "calcified"];

export class CrossPane {
  private readonly screen: Screen;
  private readonly corners: Corners;
  private zoom = FIRST_ZOOM;
  private pan = { u: 0, v: 0 };
  private pointer: { x: number; y: number } | null = null;
  private dragging = false;

  constructor(
    pane: HTMLElement,
    private readonly viewer: Viewer,
  ) {
    const canvas = pane.querySelector("canvas");
    if (!canvas) throw new Error("The cross-section pane has no canvas.");
    this.screen = new Screen(canvas);
    this.corners = new Corners(pane);
    onDrag(canvas, (press) => this.press(press));
    onWheel(canvas, (steps) => viewer.moveTo(viewer.view.get().section + steps));
    canvas.addEventListener("pointermove", (event) => {
      this.pointer = place(canvas, event);
      if (!this.dragging) this.draw();
    });
    canvas.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.draw();
    });
  }

  fit(): void {
    this.zoom = FIRST_ZOOM;
    this.pan = { u: 0, v: 0 };
  }

  /** Where the section lies on the canvas: for drawing, for the pointer, and for tests. */
  placement(): Placement {
    const { width, height } = this.screen;
    const pixelsPerMm = (Math.min(width, height) / (2 * HALF_FIELD)) * this.zoom;
    return {
      x: width / 2 - this.pan.u * pixelsPerMm,
      y: height / 2 - this.pan.v * pixelsPerMm,
      pixelsPerMm,
    };
  }

  draw(): void {
    const { screen, viewer } = this;
    if (!screen.begin()) return;
    const data = viewer.current();
    if (!data) return;
    const view = viewer.view.get();
    const at = this.placement();
    screen.pixels(0, 0, screen.width, screen.height, (out, width, height) => {
      const mmPerPixel = 1 / (at.pixelsPerMm * screen.scale);
      renderSection(
        out, data.stack, view.section,
        { left: (0.5 / screen.scale - at.x) / at.pixelsPerMm, top: (0.5 / screen.scale - at.y) / at.pixelsPerMm, mmPerPixel, width, height },
        windowTable(view.window),
      );
    });
    const layers = viewer.layers();
    if (view.overlay && layers.length === 1) drawComposition(screen, layers[0], view.section, at);
    this.drawCut(at, view.angle);
    if (view.contours) {
      if (layers.length === 1) drawPlaqueMarks(screen, layers[0], view.section, at);
      const active = viewer.mayEdit ? view.active : null;
      for (const layer of layers) drawContours(screen, layer, view.section, at, { active });
      if (viewer.mayEdit && layers.length === 1 && (this.pointer || this.dragging)) this.drawHandles(at);
    }
    scaleBar(screen, at.pixelsPerMm, 12, screen.height - 44);
    this.write(at);
  }

  /** The line along which the longitudinal view cuts. */
  private drawCut(at: Placement, angle: number): void {
    const { context } = this.screen;
    const [c, s] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    const [inner, outer] = [HALF_FIELD * 0.62 * at.pixelsPerMm, HALF_FIELD * at.pixelsPerMm];
    context.strokeStyle = COLOURS.cursorLight;
    context.lineWidth = 1.2;
    context.setLineDash([]);
    context.beginPath();
    for (const sign of [-1, 1]) {
      context.moveTo(at.x + sign * inner * c, at.y + sign * inner * s);
      context.lineTo(at.x + sign * outer * c, at.y + sign * outer * s);
    }
    // A small cross marks the centreline; it must not hide a small lumen.
    context.moveTo(at.x - 4, at.y);
    context.lineTo(at.x + 4, at.y);
    context.moveTo(at.x, at.y - 4);
    context.lineTo(at.x, at.y + 4);
    context.stroke();
    context.beginPath();
    context.arc(at.x + outer * c * 0.985, at.y + outer * s * 0.985, 3, 0, 2 * Math.PI);
    context.fillStyle = COLOURS.cursorLight;
    context.fill();
  }

  private drawHandles(at: Placement): void {
    const { viewer, screen } = this;
    const view = viewer.view.get();
    const layer = viewer.layers()[0];
    const radii = layer.contours[view.active];
    const { context } = screen;
    context.fillStyle = "#000";
    context.strokeStyle = COLOURS[view.active];
    context.lineWidth = 1.5;
    for (let n = 0; n < HANDLES; n++) {
      const k = (n * ANGLES) / HANDLES;
      const angle = (2 * Math.PI * k) / ANGLES;
      const r = radii[view.section * ANGLES + k] * at.pixelsPerMm;
      context.beginPath();
      context.arc(at.x + r * Math.cos(angle), at.y + r * Math.sin(angle), 3.2, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  private write(at: Placement): void {
    const { viewer } = this;
    const data = viewer.current();
    if (!data) return;
    const view = viewer.view.get();
    const segment = data.frames.segment[view.section] || "no segment";
    const up = data.frames.axis_v[view.section];
    const side = data.frames.axis_u[view.section];
    const where = this.under(at);
    this.corners.write({
      topLeft: `${data.summary.name} · ${segment}`,
      topRight: `W ${Math.round(view.window.width)}  L ${Math.round(view.window.level)}`,
      bottomLeft: `Section ${view.section + 1} / ${data.stack.sections} · ${printed(view.section * SPACING_ALONG, 1)} mm`,
      bottomRight: where,
      top: letters(negate(up)), bottom: letters(up), left: letters(negate(side)), right: letters(side),
    });
  }

  private under(at: Placement): string {
    const data = this.viewer.current();
    if (!this.pointer || !data) return "";
    const { section } = this.viewer.view.get();
    const u = (this.pointer.x - at.x) / at.pixelsPerMm;
    const v = (this.pointer.y - at.y) / at.pixelsPerMm;
    if (Math.abs(u) > HALF_FIELD || Math.abs(v) > HALF_FIELD) return "";
    const hu = Math.round(sampleStraightened(data.stack, section, u, v));
    const row = Math.min(SIZE - 1, Math.max(0, Math.round(v / SPACING_ACROSS + 31.5)));
    const column = Math.min(SIZE - 1, Math.max(0, Math.round(u / SPACING_ACROSS + 31.5)));
    const layers = this.viewer.layers();
    const label = layers.length === 1 ? layers[0].state.composition[section * 4096 + row * SIZE + column] : 0;
    return `${hu < 0 ? "−" : ""}${Math.abs(hu)} HU${CLASSES[label] ? ` · ${CLASSES[label]}` : ""}`;
  }

  private press(press: DragStart): Drag | null {
    const { viewer } = this;
    if (press.button === 1) {
      return {
        move: (_x, _y, dx, dy) => {
          const { pixelsPerMm } = this.placement();
          this.pan = { u: this.pan.u - dx / pixelsPerMm, v: this.pan.v - dy / pixelsPerMm };
          this.draw();
        },
      };
    }
    if (press.button === 2) {
      return {
        move: (_x, _y, _dx, dy) => {
          this.zoom = Math.min(8, Math.max(0.6, this.zoom * Math.exp(-dy / 150)));
          this.draw();
        },
      };
    }
    if (press.button !== 0) return null;
    return (press.shift ? null : this.grab(press)) ?? windowDrag(viewer);
  }

  /** Take hold of the active contour when the press is near it. */
  private grab(press: DragStart): Drag | null {
    const { viewer } = this;
    const view = viewer.view.get();
    const layer = viewer.layers()[0];
    if (!viewer.mayEdit || !view.contours || !layer) return null;
    const at = this.placement();
    const u = (press.x - at.x) / at.pixelsPerMm;
    const v = (press.y - at.y) / at.pixelsPerMm;
    const angle = angleOf(u, v);
    const radius = radiusAt(layer.contours[view.active], view.section, angle);
    const distance = Math.abs(Math.hypot(u, v) - radius) * at.pixelsPerMm;
    if (distance > REACH_PX) return null;
    const { contours } = layer;
    const { section } = view;
    let move: Move | null = null;
    this.dragging = true;
    return {
      move: (x, y) => {
        // Along the ray of the press: what the pointer moved outwards is what the contour moves.
        const along = ((x - press.x) * Math.cos(angle) + (y - press.y) * Math.sin(angle)) / at.pixelsPerMm;
        move = {
          which: view.active, section, angle_rad: angle, delta_mm: along,
          width_sections: DEFAULT_WIDTH_SECTIONS, width_rad: DEFAULT_WIDTH_RAD,
        };
        viewer.showPreview(moveContour(contours, move));
      },
      end: () => {
        this.dragging = false;
        if (move && Math.abs(move.delta_mm) >= 0.01) viewer.edit({ type: "move_contour", ...move });
        viewer.showPreview(null);
      },
      cancel: () => {
        this.dragging = false;
        viewer.showPreview(null);
      },
    };
  }
}

/** Window by dragging: across the width, up and down the level. */
export function windowDrag(viewer: Viewer): Drag {
  return {
    move: (_x, _y, dx, dy) => {
      const { window } = viewer.view.get();
      viewer.view.set({
        window: { width: Math.min(4000, Math.max(20, window.width + dx * 3)), level: Math.min(3000, Math.max(-1000, window.level - dy * 2)) },
      });
    },
  };
}
