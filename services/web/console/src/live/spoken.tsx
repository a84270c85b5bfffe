import { Fragment } from "preact";
import { SpeakerLabel } from "../speakers/label";
import type { Line } from "./captions";

/** The text of a line, each part after who says it where that is known. */
export function Spoken({ line }: { line: Line }) {
  if (line.parts.length === 0) return <>{line.text}</>;
  return (
    <>
      {line.parts.map((part, place) => (
        // Parts of a line never change their places.
        <Fragment key={place}>
          {place > 0 && " "}
          <SpeakerLabel speaker={part.speaker} speakers={[]} /> {part.text}
        </Fragment>
      ))}
    </>
  );
}
