/**
 * The straightened vessel cut lengthwise: rotatable, scrolled never stretched, with lesion bars and profiles beside.
 *
 * Columns from the left: image (20 mm), lesion bars, diameters, plaque area (and stenosis within lesions), and at
 * the far right the whole vessel small, as a scroll bar.
 */
import { COLOURS, label, Screen } from "../drawing";
import { letters, negate, turned } from "../geometry/frames";
import { radiusAt } from "../geometry/polar";
import { renderLongitudinal } from "../geometry/render";
import { CENTRE, HALF_FIELD, SIZE, SPACING_ACROSS, SPACING_ALONG } from "../geometry/sampler";
import { windowTable } from "../geometry/window";
import { onDrag, onWheel, type Drag, type DragStart } from "../pointer";
import { type Viewer } from "../viewer";
import { Corners } from "./corners";
import { drawLesionBars, drawOverview, drawProfiles, type Track } from "./profiles";

const BARS = 16;
const OVERVIEW = 16;
const TRACK_SHARE = 0.19;

interface Layout {
  readonly image: number;
  readonly bars: Track;
  readonly diameter: Track;
  readonly plaque: Track;
  readonly overview: Track;
  readonly pixelsPerMm: number;
}

export class LongitudinalPane {
  private readonly screen: Screen;
  private readonly corners: Corners;
  private zoom = 1;
  /** mm along the vessel at the top edge. */
  private top = 0;
  private shown = "";
  private held = false;

  constructor(
    pane: HTMLElement,
    private readonly viewer: Viewer,
  ) {
    const canvas = pane.querySelector("canvas");
    if (!canvas) throw new Error("The longitudinal pane has no canvas.");
    this.screen = new Screen(canvas);
    this.corners = new Corners(pane);
    onDrag(canvas, (press) => this.press(press));
    onWheel(canvas, (steps) => viewer.moveTo(viewer.view.get().section + steps));
  }

  fit(): void {
    this.zoom = 1;
  }

  private layout(): Layout {
    const { width } = this.screen;
    const track = Math.max(46, width * TRACK_SHARE);
    const image = Math.max(80, width - BARS - OVERVIEW - 2 * track);
    return {
      image,
      bars: { x: image, width: BARS },
      diameter: { x: image + BARS, width: track },
      plaque: { x: image + BARS + track, width: track },
      overview: { x: width - OVERVIEW, width: OVERVIEW },
      pixelsPerMm: (image / (2 * HALF_FIELD)) * this.zoom,
    };
  }

  /** Scroll so that the cursor stays in the middle part; a new vessel starts centred on its cursor. */
  private follow(layout: Layout, length: number): void {
    const visible = this.screen.height / layout.pixelsPerMm;
    const cursor = this.viewer.cursorMm;
    if (this.shown !== this.viewer.view.get().vessel) {
      this.shown = this.viewer.view.get().vessel;
      this.top = cursor - visible / 2;
    } else if (!this.held) {
      this.top = Math.min(this.top, cursor - visible * 0.15);
      this.top = Math.max(this.top, cursor - visible * 0.85);
    }
    const margin = 2;
    this.top = length + 2 * margin < visible
      ? (length - visible) / 2
      : Math.min(Math.max(this.top, -margin), length + margin - visible);
  }

  draw(): void {
    const { screen, viewer } = this;
    if (!screen.begin()) return;
    const data = viewer.current();
    if (!data) return;
    const view = viewer.view.get();
    const layout = this.layout();
    const length = (data.stack.sections - 1) * SPACING_ALONG;
    this.follow(layout, length);
    const angle = (view.angle * Math.PI) / 180;
    screen.pixels(0, 0, layout.image, screen.height, (out, width, height) => {
      const mmPerPixel = 1 / (layout.pixelsPerMm * screen.scale);
      renderLongitudinal(
        out, data.stack, angle,
        { topSection: (this.top + mmPerPixel / 2) / SPACING_ALONG, mmPerPixel, width, height }, windowTable(view.window),
      );
    });
    const y = (mm: number) => (mm - this.top) * layout.pixelsPerMm;
    if (view.contours) this.drawContours(layout, y, angle);
    const range = { top: this.top, bottom: this.top + screen.height / layout.pixelsPerMm };
    drawLesionBars(screen, viewer, layout.bars, y);
    drawProfiles(screen, viewer, { diameter: layout.diameter, plaque: layout.plaque }, y, range);
    drawOverview(screen, viewer, layout.overview, length, range);
    this.drawCursor(layout, y(viewer.cursorMm));
    this.drawRuler(y, range);
    const across = turned(data.frames, view.section, angle);
    this.corners.write({
      left: letters(negate(across)),
    });
    label(screen.context, letters(across), layout.image - 6, screen.height / 2 + 4, "right", COLOURS.lumen);
    label(screen.context, `${Math.round(view.angle)}°`, layout.image - 6, 16, "right");
  }

  private drawContours(layout: Layout, y: (mm: number) => number, angle: number): void {
    const { context, height } = this.screen;
    const middle = layout.image / 2;
    context.save();
    context.beginPath();
    context.rect(0, 0, layout.image, height);
    context.clip();
    for (const layer of this.viewer.layers()) {
      context.setLineDash(layer.side === "B" ? [6, 4] : []);
      for (const which of ["wall", "lumen"] as const) {
        context.strokeStyle = COLOURS[which];
        context.lineWidth = layer.side !== null ? (which === "lumen" ? 2.2 : 1.2) : 1.4;
        for (const [sign, theta] of [[1, angle], [-1, angle + Math.PI]] as const) {
          context.beginPath();
          let drawing = false;
          for (let s = 0; s < layer.contours.sections; s++) {
            if (layer.contours.masks?.has(s)) {
              drawing = false;
              continue;
            }
            const x = middle + sign * radiusAt(layer.contours[which], s, theta) * layout.pixelsPerMm;
            if (drawing) context.lineTo(x, y(s * SPACING_ALONG));
            else context.moveTo(x, y(s * SPACING_ALONG));
            drawing = true;
          }
          context.stroke();
        }
      }
    }
    context.setLineDash([]);
    for (const layer of this.viewer.layers()) {
      for (const [s, mask] of layer.contours.masks ?? []) this.drawMaskCut(layout, mask, y(s * SPACING_ALONG), angle);
    }
    context.restore();
  }

  /** Where the cut crosses the borders of a section's label mask: one short stroke each. */
  private drawMaskCut(layout: Layout, mask: Uint8Array, y: number, angle: number): void {
    const { context } = this.screen;
    const half = (SPACING_ALONG * layout.pixelsPerMm) / 2 + 0.5;
    const step = SPACING_ACROSS / 2;
    let before = 0;
    for (let d = -HALF_FIELD + step; d < HALF_FIELD; d += step) {
      const column = Math.round((d * Math.cos(angle)) / SPACING_ACROSS + CENTRE);
      const row = Math.round((d * Math.sin(angle)) / SPACING_ACROSS + CENTRE);
      const inside = row >= 0 && column >= 0 && row < SIZE && column < SIZE;
      const here = inside ? mask[row * SIZE + column] : 0;
      if (here === before) continue;
      context.strokeStyle = here === 1 || before === 1 ? COLOURS.lumen : COLOURS.wall;
      context.lineWidth = 1.4;
      context.beginPath();
      const x = layout.image / 2 + (d - step / 2) * layout.pixelsPerMm;
      context.moveTo(x, y - half);
      context.lineTo(x, y + half);
      context.stroke();
      before = here;
    }
  }

  private drawCursor(layout: Layout, y: number): void {
    const { context } = this.screen;
    context.setLineDash([]);
    context.strokeStyle = COLOURS.cursorLight;
    context.lineWidth = 1;
    context.beginPath();
    // Open in the middle, where the vessel is.
    const gap = 5 * layout.pixelsPerMm;
    context.moveTo(0, y);
    context.lineTo(layout.image / 2 - gap, y);
    context.moveTo(layout.image / 2 + gap, y);
    context.lineTo(layout.overview.x, y);
    context.stroke();
  }

  private drawRuler(y: (mm: number) => number, range: { top: number; bottom: number }): void {
    const { context } = this.screen;
    context.strokeStyle = COLOURS.dim;
    context.lineWidth = 1;
    context.setLineDash([]);
    for (let mm = Math.max(0, Math.ceil(range.top / 5) * 5); mm < range.bottom; mm += 5) {
      const long = mm % 10 === 0;
      context.beginPath();
      context.moveTo(0, y(mm));
      context.lineTo(long ? 8 : 4, y(mm));
      context.stroke();
      if (long) label(context, `${mm}${mm === 0 ? " mm" : ""}`, 11, y(mm) + 4, "left", COLOURS.dim);
    }
  }

  private press(press: DragStart): Drag | null {
    const layout = this.layout();
    const { viewer } = this;
    if (press.button === 2) {
      return {
        move: (_x, _y, _dx, dy) => {
          this.zoom = Math.min(4, Math.max(0.4, this.zoom * Math.exp(-dy / 150)));
          this.draw();
        },
      };
    }
    if (press.button === 1) {
      this.held = true;
      return {
        move: (_x, _y, _dx, dy) => {
          this.top -= dy / layout.pixelsPerMm;
          this.draw();
        },
        end: () => (this.held = false),
      };
    }
    if (press.button !== 0) return null;
    if (press.x >= layout.overview.x) return this.scrub(press, (y) => this.fromOverview(y));
    const fromImage = (y: number) => this.top + y / layout.pixelsPerMm;
    if (press.x >= layout.image) {
      if (press.x < layout.image + BARS) {
        const mm = fromImage(press.y);
        const lesion = viewer.lesions().find((each) => mm >= each.start_mm && mm <= each.end_mm);
        if (lesion) viewer.view.set({ lesion: lesion.number });
      }
      return this.scrub(press, fromImage);
    }
    return {
      move: (_x, _y, dx) => {
        viewer.view.set({ angle: (((viewer.view.get().angle - dx * 0.8) % 360) + 360) % 360 });
      },
      end: (_x, y, moved) => {
        if (!moved) viewer.moveTo(fromImage(y) / SPACING_ALONG);
      },
    };
  }

  private fromOverview(y: number): number {
    const sections = this.viewer.current()?.stack.sections ?? 1;
    return (y / this.screen.height) * (sections - 1) * SPACING_ALONG;
  }

  /** Move the cursor with the pointer. The page holds still meanwhile, so that the place stays under the pointer. */
  private scrub(press: DragStart, toMm: (y: number) => number): Drag {
    const go = (y: number) => this.viewer.moveTo(toMm(y) / SPACING_ALONG);
    go(press.y);
    return { move: (_x, y) => go(y) };
  }
}
