import type { ComponentChildren } from "preact";
import { Store, useStore } from "./store";

/** Where the console is: the path and the query of the page's address. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export const place = new Store<Place>(here());

export function startRouter(): void {
  addEventListener("popstate", () => place.set(here()));
}

export function go(address: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  place.set(here());
}

/** What the names in a pattern such as `/recordings/:id` stand for in a path; null where it does not fit. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  if (wanted.length !== parts.length) return null;
  const found: Record<string, string> = {};
  for (const [index, name] of wanted.entries()) {
    const part = parts[index] ?? "";
    if (!name.startsWith(":")) {
      if (name !== part) return null;
      continue;
    }
    try {
      found[name.slice(1)] = decodeURIComponent(part);
    } catch {
      return null;
    }
  }
  return found;
}

type LinkProps = { to: string; class?: string; children: ComponentChildren };

/** A link to a page of the console, which opens without the server. */
export function Link({ to, class: name, children }: LinkProps) {
  const { path } = useStore(place);
  function follow(event: MouseEvent): void {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
    scrollTo(0, 0);
  }
  return (
    <a class={name} href={to} aria-current={path === to ? "page" : undefined} onClick={follow}>
      {children}
    </a>
  );
}
