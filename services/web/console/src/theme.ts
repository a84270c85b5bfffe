import { keep, kept } from "./kept";
import { Store } from "./store";

/** `system` follows the browser's prefers-color-scheme. */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = new Store<Theme>(kept("theme", THEMES) ?? "system");

export function chooseTheme(chosen: Theme): void {
  keep("theme", chosen);
  theme.set(chosen);
  showTheme();
}

export function showTheme(): void {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}
