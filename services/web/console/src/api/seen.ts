/** Calls back once somebody sees the page, at once where they do; gives what ends the waiting. */
export function whenSeen(callback: () => void): () => void {
  if (!document.hidden) {
    callback();
    return () => undefined;
  }
  const look = () => {
    if (document.hidden) return;
    stop();
    callback();
  };
  const stop = () => document.removeEventListener("visibilitychange", look);
  document.addEventListener("visibilitychange", look);
  return stop;
}
