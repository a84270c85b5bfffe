/** Keeps the screen on while a session runs, where the browser can. */

let lock: WakeLockSentinel | null = null;
let isWanted = false;

export async function keepAwake(): Promise<void> {
  isWanted = true;
  document.addEventListener("visibilitychange", again);
  await again();
}

export async function letSleep(): Promise<void> {
  isWanted = false;
  document.removeEventListener("visibilitychange", again);
  await lock?.release();
  lock = null;
}

/** Browsers release the lock when the page is hidden. */
async function again(): Promise<void> {
  if (!isWanted || document.visibilityState !== "visible") return;
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    // Refused, as when the battery is low: the screen goes off as it does otherwise.
  }
}
