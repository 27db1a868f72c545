/**
 * Lists that are already complete on the page.
 *
 * `<input data-filter="#id">` shows the rows of that table that hold every word; an element `data-count="#id"` says how
 * many. `<table data-sort>` sorts by a click on a head, unless the head carries data-sort-none; a cell's
 * data-value goes before its text.
 */

/** Numbers by size (also with a unit behind, or a true minus sign), else text as people sort it; empty last. */
export function compareCells(a: string, b: string): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== null && y !== null) return x - y;
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
  return a.localeCompare(b, "en", { numeric: true, sensitivity: "base" });
}

function numberOf(text: string): number | null {
  const found = /^([+-]?\d+(?:\.\d+)?)(?:\s*[%a-zµ³²/]*)?$/i.exec(text.trim().replaceAll("\u2212", "-").replaceAll(",", ""));
  return found ? Number(found[1]) : null;
}

export function matches(text: string, query: string): boolean {
  const lower = text.toLowerCase();
  return query.toLowerCase().split(/\s+/).filter(Boolean).every((word) => lower.includes(word));
}

export function tables(within: Document | HTMLElement): void {
  for (const input of within.querySelectorAll<HTMLInputElement>("input[data-filter]")) bindFilter(input);
  for (const table of within.querySelectorAll<HTMLTableElement>("table[data-sort]")) bindSort(table);
}

function bindFilter(input: HTMLInputElement): void {
  if (input.dataset.bound) return;
  input.dataset.bound = "true";
  const selector = input.dataset.filter ?? "";
  const apply = () => {
    const table = document.querySelector(selector);
    if (!table) return;
    let count = 0;
    for (const row of table.querySelectorAll<HTMLTableRowElement>("tbody > tr:not([data-empty])")) {
      row.hidden = !matches(row.textContent ?? "", input.value);
      if (!row.hidden) count++;
    }
    for (const element of document.querySelectorAll(`[data-count="${selector}"]`)) element.textContent = String(count);
  };
  input.addEventListener("input", apply);
  if (input.value) apply();
}

function bindSort(table: HTMLTableElement): void {
  if (table.dataset.bound) return;
  table.dataset.bound = "true";
  const heads = [...(table.tHead?.rows[table.tHead.rows.length - 1]?.cells ?? [])];
  heads.forEach((head, column) => {
    if (head.dataset.sortNone !== undefined || head.textContent?.trim() === "") return;
    head.tabIndex = 0;
    head.classList.add("sortable");
    const sort = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row: HTMLTableRowElement) => {
        const cell = row.cells[column];
        return cell?.dataset.value ?? cell?.textContent?.trim() ?? "";
      };
      for (const body of table.tBodies) {
        const rows = [...body.rows].sort((a, b) => compareCells(value(a), value(b)) * (up ? 1 : -1));
        body.append(...rows);
      }
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        sort();
      }
    });
  });
}
