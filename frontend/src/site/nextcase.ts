/** On a reader's home, Enter opens the next case: the link marked data-next-case. */
export function nextCase(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("a, button, input, select, textarea, summary")) return;
    document.querySelector<HTMLAnchorElement>("a[data-next-case]")?.click();
  });
}
