/** Light and dark: the system's preference, until a person switches; the choice is kept in this browser. */

const KEY = "plaquelab-theme";
type Theme = "light" | "dark";

export function chosenTheme(stored: string | null, systemIsDark: boolean): Theme {
  return stored === "light" || stored === "dark" ? stored : systemIsDark ? "dark" : "light";
}

export function theme(): void {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.bsTheme = chosenTheme(localStorage.getItem(KEY), system.matches);
  };
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-theme-switch]")) return;
    localStorage.setItem(KEY, document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark");
    apply();
  });
}
