import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { Reading } from "../api/findings";
import type { EngineVersion } from "../api/types";
import { Files } from "../recording/files";
import type { Playback } from "../recording/playback";
import { useStore } from "../store";
import { words } from "../words";
import { Chosen } from "./chosen";
import { Differing } from "./differing";
import { Figures } from "./figures";
import { Legend } from "./legend";
import { spanOf } from "./outcomes";
import { ReadText } from "./text";
import "./reading.css";

const FILES = { TextGrid: "TextGrid", ctm: "CTM", md: "Markdown", json: "JSON" };
/** Speech begins softly, and the clock of a player is coarse. */
const EDGE_SECONDS = 0.05;

type PanelProps = { job: string; reading: Reading; playback: Playback };

/** How a text was read: figures, the text with what became of each word, and what is known of one. */
export function ReadingPanel({ job, reading, playback }: PanelProps) {
  const text = useStore(words).reading;
  const [chosen, setChosen] = useState(-1);
  const [goesOn, setGoesOn] = useState(false);
  const word = reading.words[chosen];

  function play(of: Parameters<typeof spanOf>[0]): void {
    const span = spanOf(of);
    if (!span) return;
    const end = goesOn ? Number.POSITIVE_INFINITY : span.end + EDGE_SECONDS;
    playback.playPart(Math.max(0, span.start - EDGE_SECONDS), end);
  }
  function choose(index: number): void {
    const next = reading.words[index];
    if (!next) return;
    setChosen(index);
    play(next);
  }
  return (
    <section class="card read-aloud" aria-labelledby="reading-title">
      <div class="card-head">
        <h2 id="reading-title">{text.title}</h2>
        <Files place={`${api.filesOf(job)}/reading`} names={{ html: text.page, ...FILES }} />
      </div>
      <Figures reading={reading} />
      <Legend reading={reading} />
      <div class="card-head">
        <p class="soft">{text.hint}</p>
        <label class="tick">
          <input type="checkbox" checked={goesOn} onChange={() => setGoesOn(!goesOn)} />
          <span>{text.goesOn}</span>
        </label>
      </div>
      <ReadText reading={reading} playback={playback} chosen={chosen} choose={choose} />
      <Chosen word={word} play={play} />
      <Differing reading={reading} choose={choose} />
      <MadeBy engines={[reading.engine, reading.asr_engine]} />
    </section>
  );
}

function MadeBy({ engines }: { engines: readonly (EngineVersion | undefined)[] }) {
  const text = useStore(words).reading;
  const names = engines.flatMap((each) =>
    each?.engine
      ? [[each.engine, each.model_name, each.checkpoint_sha256.slice(0, 12)].filter(Boolean).join(" ")]
      : [],
  );
  return names.length > 0 ? <p class="soft">{text.madeBy(names.join(", "))}</p> : null;
}
