import { useEffect, useMemo, useState } from "preact/hooks";
import { keep, kept } from "../kept";
import { Store } from "../store";
import { after, type Pause } from "./pauses";

export const SLOWEST = 0.5;
export const FASTEST = 3;
export const SPEED_STEP = 0.25;
const SKIPS = "maie-skips-silence";

/** The place in a recording: of its audio where it can be played, of the reader otherwise. */
export class Playback {
  readonly time = new Store(0);
  readonly playing = new Store(false);
  readonly speed = new Store(1);
  readonly duration = new Store(0);
  readonly skips = new Store(kept(SKIPS, ["yes", "no"]) === "yes");
  /** What is skipped where people want that. */
  pauses: readonly Pause[] = [];
  private audio: HTMLAudioElement | null = null;
  private frame = 0;
  /** Where a part ends that is played by itself. */
  private partEnd = Number.POSITIVE_INFINITY;

  /** Takes the element that plays; events of it move the place. */
  attach(audio: HTMLAudioElement | null): void {
    this.audio = audio;
    if (!audio) return;
    audio.currentTime = this.time.value;
    audio.onplay = () => {
      this.playing.set(true);
      this.tick();
    };
    audio.onpause = () => this.playing.set(false);
    audio.onseeked = () => this.time.set(audio.currentTime);
    audio.ondurationchange = () => {
      if (Number.isFinite(audio.duration)) this.duration.set(audio.duration);
    };
  }

  seek(time: number): void {
    const bounded = Math.max(0, Math.min(time, this.duration.value || time));
    this.partEnd = Number.POSITIVE_INFINITY;
    if (this.audio) this.audio.currentTime = bounded;
    this.time.set(bounded);
  }

  toggle(): void {
    if (!this.audio) return;
    this.partEnd = Number.POSITIVE_INFINITY;
    if (this.audio.paused) void this.audio.play();
    else this.audio.pause();
  }

  /** Plays a part; where nothing plays, goes to its start. */
  playPart(start: number, end: number): void {
    this.seek(start);
    this.partEnd = end;
    // A click on another word meanwhile ends the one before.
    this.audio?.play().catch(() => undefined);
  }

  setSpeed(speed: number): void {
    const bounded = Math.max(SLOWEST, Math.min(FASTEST, speed));
    if (this.audio) this.audio.playbackRate = bounded;
    this.speed.set(bounded);
  }

  setSkips(skips: boolean): void {
    keep(SKIPS, skips ? "yes" : "no");
    this.skips.set(skips);
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    this.audio?.pause();
    this.audio = null;
  }

  // The element's own timeupdate comes four times a second, too seldom to follow words.
  private tick(): void {
    if (!this.audio || this.audio.paused) return;
    if (this.skips.value && !this.audio.seeking) {
      const next = after(this.pauses, this.audio.currentTime);
      if (next > this.audio.currentTime) this.audio.currentTime = next;
    }
    this.time.set(this.audio.currentTime);
    if (this.audio.currentTime >= this.partEnd && !this.audio.seeking) {
      this.partEnd = Number.POSITIVE_INFINITY;
      this.audio.pause();
      return;
    }
    this.frame = requestAnimationFrame(() => this.tick());
  }
}

export function usePlayback(): Playback {
  const playback = useMemo(() => new Playback(), []);
  useEffect(() => () => playback.stop(), [playback]);
  return playback;
}

/** What a function makes of a store's value; draws again only when that changes. */
export function useDerived<Value, Made>(
  store: Store<Value>,
  make: (value: Value) => Made,
  key: unknown,
): Made {
  const [made, setMade] = useState(() => make(store.value));
  useEffect(() => {
    setMade(() => make(store.value));
    return store.listen((value) => setMade(() => make(value)));
  }, [store, key]);
  return made;
}
