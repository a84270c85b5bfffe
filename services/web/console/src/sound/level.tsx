import { type Store, useStore } from "../store";
import { words } from "../words";

/** How loud a source is. */
export function Level({ level, name }: { level: Store<number>; name: string }) {
  const text = useStore(words).sound;
  return <progress class="level" value={loudness(useStore(level))} aria-label={text.level(name)} />;
}

/** The share of 60 dB that a peak of 0 to 1 takes, as ears hear it. */
export function loudness(peak: number): number {
  return Math.max(0, Math.min(1, 1 + Math.log10(Math.max(peak, 1e-4)) / 3));
}
