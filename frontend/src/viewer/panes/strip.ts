/** Neighbouring sections, small: what comes before and after the cursor. */
import { printed } from "../../numbers";
import { COLOURS, label, Screen } from "../drawing";
import { renderSection } from "../geometry/render";
import { SPACING_ALONG } from "../geometry/sampler";
import { windowTable } from "../geometry/window";
import { onDrag, onWheel } from "../pointer";
import { type Viewer } from "../viewer";
import { drawComposition, drawContours } from "./section";

/** Sections from one picture to the next: 1.2 mm. */
const STEP = 4;
const GAP = 4;
/** mm of the section shown in a small picture. */
const FIELD = 10;

export class StripPane {
  private readonly screen: Screen;

  constructor(
    pane: HTMLElement,
    private readonly viewer: Viewer,
  ) {
    const canvas = pane.querySelector("canvas");
    if (!canvas) throw new Error("The strip has no canvas.");
    this.screen = new Screen(canvas);
    onDrag(canvas, (press) =>
      press.button !== 0
        ? null
        : {
            end: (x) => {
              const { count, size } = this.measure();
              const first = (this.screen.width - count * (size + GAP) + GAP) / 2;
              const n = Math.floor((x - first) / (size + GAP)) - (count - 1) / 2;
              viewer.moveTo(viewer.view.get().section + n * STEP);
            },
          },
    );
    onWheel(canvas, (steps) => viewer.moveTo(viewer.view.get().section + steps));
  }

  private measure(): { count: number; size: number } {
    const size = this.screen.height;
    const fitting = Math.max(1, Math.floor((this.screen.width + GAP) / (size + GAP)));
    return { count: fitting % 2 === 1 ? fitting : fitting - 1, size };
  }

  draw(): void {
    const { screen, viewer } = this;
    if (!screen.begin()) return;
    const data = viewer.current();
    if (!data) return;
    const view = viewer.view.get();
    const { count, size } = this.measure();
    const first = (screen.width - count * (size + GAP) + GAP) / 2;
    const table = windowTable(view.window);
    const layers = viewer.layers();
    const pixelsPerMm = size / FIELD;
    for (let n = 0; n < count; n++) {
      const offset = (n - (count - 1) / 2) * STEP;
      const section = view.section + offset;
      const x = first + n * (size + GAP);
      const inside = section >= 0 && section < data.stack.sections;
      if (inside) {
        screen.pixels(x, 0, size, size, (out, width, height) => {
          const mmPerPixel = FIELD / width;
          const corner = -FIELD / 2 + mmPerPixel / 2;
          renderSection(out, data.stack, section, { left: corner, top: corner, mmPerPixel, width, height }, table);
        });
        const { context } = screen;
        context.save();
        context.beginPath();
        context.rect(x, 0, size, size);
        context.clip();
        const at = { x: x + size / 2, y: size / 2, pixelsPerMm };
        if (view.overlay && layers.length === 1) drawComposition(screen, layers[0], section, at);
        if (view.contours) for (const layer of layers) drawContours(screen, layer, section, at);
        context.restore();
        const mm = offset * SPACING_ALONG;
        label(context, mm === 0 ? "0" : `${mm > 0 ? "+" : "−"}${printed(Math.abs(mm), 1)}`, x + 4, size - 5);
      }
      if (offset === 0) {
        screen.context.strokeStyle = COLOURS.cursor;
        screen.context.lineWidth = 2;
        screen.context.strokeRect(x + 1, 1, size - 2, size - 2);
      }
    }
  }
}
