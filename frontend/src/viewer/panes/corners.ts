/** Text in the corners and at the edges of a pane, as elements, so that it can be selected, read out and tested. */

const PLACES = ["topLeft", "topRight", "bottomLeft", "bottomRight", "top", "bottom", "left", "right"] as const;
type Place = (typeof PLACES)[number];

export class Corners {
  private readonly elements = new Map<Place, HTMLElement>();

  constructor(pane: HTMLElement) {
    for (const name of PLACES) {
      const element = document.createElement("div");
      element.className = `corner corner-${name}`;
      element.dataset.testid = `${pane.dataset.testid}-${name}`;
      pane.append(element);
      this.elements.set(name, element);
    }
  }

  write(texts: Partial<Record<Place, string>>): void {
    for (const [name, element] of this.elements) {
      const text = texts[name] ?? "";
      if (element.textContent !== text) element.textContent = text;
    }
  }
}
