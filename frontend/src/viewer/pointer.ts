/** Dragging with any button, as radiology viewers do it: left the active tool, middle pans, right zooms. */

export interface DragStart {
  readonly x: number;
  readonly y: number;
  readonly button: number;
  readonly shift: boolean;
}

export interface Drag {
  move?(x: number, y: number, dx: number, dy: number): void;
  /** `moved` is false for a click. */
  end?(x: number, y: number, moved: boolean): void;
  cancel?(): void;
}

const CLICK_SLACK = 3;

/** Call `start` at each press; what it returns hears the rest of that drag. */
export function onDrag(element: HTMLElement, start: (press: DragStart) => Drag | null): void {
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("pointerdown", (down) => {
    const origin = place(element, down);
    const drag = start({ ...origin, button: down.button, shift: down.shiftKey });
    if (!drag) return;
    down.preventDefault();
    element.setPointerCapture(down.pointerId);
    let last = origin;
    let moved = false;
    const move = (event: PointerEvent) => {
      const now = place(element, event);
      moved ||= Math.hypot(now.x - origin.x, now.y - origin.y) > CLICK_SLACK;
      if (moved) drag.move?.(now.x, now.y, now.x - last.x, now.y - last.y);
      last = now;
    };
    const stop = () => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", cancel);
    };
    const up = (event: PointerEvent) => {
      stop();
      const now = place(element, event);
      drag.end?.(now.x, now.y, moved);
    };
    const cancel = () => {
      stop();
      (drag.cancel ?? drag.end)?.call(drag, last.x, last.y, moved);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", cancel);
  });
}

export function place(element: HTMLElement, event: MouseEvent): { x: number; y: number } {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/** Whole wheel steps, whatever the device sends. */
export function onWheel(element: HTMLElement, step: (direction: number, event: WheelEvent) => void): void {
  let rest = 0;
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      rest += event.deltaMode === 0 ? event.deltaY / 50 : event.deltaY / 3;
      const steps = Math.abs(event.deltaY) >= 50 ? Math.sign(event.deltaY) : Math.trunc(rest);
      if (steps !== 0) {
        rest = 0;
        step(steps, event);
      }
    },
    { passive: false },
  );
}
