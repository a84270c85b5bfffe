import { lazy } from "../ui/lazy";

/** The page that compares, whose code is loaded when somebody comes to it. */
export const ComparePage = lazy(
  async () => (await import("./page")).Comparison,
  ({ children }) => <div class="page">{children}</div>,
);
