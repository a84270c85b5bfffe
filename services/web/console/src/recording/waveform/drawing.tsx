import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useStore } from "../../store";
import { after, type Pause } from "../pauses";
import type { Playback } from "../playback";
import { HEIGHT_PX, heightsOf, PITCH_PX, pathOf, type Waveform } from "./bars";

type DrawingProps = { waveform: Waveform; playback: Playback; pauses: readonly Pause[] };

/** A recording's waveform behind the slider: what was played in colour, and pauses pale or, where they are skipped, flat. */
export function Drawing({ waveform, playback, pauses }: DrawingProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const duration = useStore(playback.duration);
  const time = useStore(playback.time);
  const skips = useStore(playback.skips);
  const paths = useMemo(() => {
    const count = Math.max(1, Math.floor(width / PITCH_PX));
    const heights = heightsOf(waveform, duration || 1, count);
    const silent = heights.map((_, index) => isIn(pauses, ((index + 0.5) / count) * duration));
    return {
      spoken: pathOf(heights, (index) => !silent[index]),
      silent: pathOf(skips ? heights.map(() => 0) : heights, (index) => silent[index] === true),
    };
  }, [waveform, duration, width, pauses, skips]);
  const left = `${100 - (100 * time) / (duration || 1)}%`;
  return (
    <div ref={box} class="waveform" aria-hidden="true">
      <Bars {...paths} width={width} />
      <div class="played" style={{ clipPath: `inset(0 ${left} 0 0)` }}>
        <Bars {...paths} width={width} />
      </div>
    </div>
  );
}

function Bars({ spoken, silent, width }: { spoken: string; silent: string; width: number }) {
  return (
    <svg viewBox={`0 0 ${width} ${HEIGHT_PX}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="silent" d={silent} />
      <path class="sound" d={spoken} />
    </svg>
  );
}

function isIn(pauses: readonly Pause[], time: number): boolean {
  return after(pauses, time) > time;
}

/** The width of an element in whole pixels, 1 before it is drawn. */
function useWidth(box: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(1);
  useEffect(() => {
    const watched = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(1, Math.round(entry.contentRect.width)));
    });
    if (box.current) watched.observe(box.current);
    return () => watched.disconnect();
  }, [box]);
  return width;
}
