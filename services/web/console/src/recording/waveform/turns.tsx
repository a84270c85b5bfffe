import { useMemo } from "preact/hooks";
import type { Segment } from "../../api/types";
import { stripsOf } from "../../speakers/speakers";

type TurnsProps = { segments: readonly Segment[]; duration: number };

/** A thin strip with the colour of who speaks; the transcript says it in words. */
export function Turns({ segments, duration }: TurnsProps) {
  const strips = useMemo(() => stripsOf(segments), [segments]);
  if (strips.length === 0 || !duration) return null;
  return (
    <svg class="turns" viewBox={`0 0 ${duration} 1`} preserveAspectRatio="none" aria-hidden="true">
      {strips.map(({ voice, path }) => (
        <path key={voice} d={path} data-voice={voice} />
      ))}
    </svg>
  );
}
