import { useLayoutEffect, useRef } from "preact/hooks";
import { bytes, clock } from "../format";
import { Link } from "../router";
import { Level } from "../sound/level";
import type { SourceKind } from "../sound/sources";
import { useStore } from "../store";
import { Elapsed } from "../ui/elapsed";
import { Icon } from "../ui/icon";
import { ProblemNotice } from "../ui/notices";
import { warningText } from "../warnings/text";
import { language, words } from "../words";
import {
  captions,
  continueSession,
  forgetSession,
  isRunning,
  leaveSession,
  levels,
  pauseSession,
  session,
  stopSession,
  waiting,
} from "./session";
import { Spoken } from "./spoken";

// Nearer to the end than this, new lines are followed.
const FOLLOWED_PX = 80;

/** A session that runs or has ended. */
export function RunningSession() {
  const { phase, tracks } = useStore(session);
  return (
    <>
      {phase === "ended" ? <Ended /> : <Controls />}
      <Troubles />
      {isRunning(phase) && (
        <ul class="tracks card">
          {tracks.map((track) => (
            <Track key={track} track={track} />
          ))}
        </ul>
      )}
      <Said />
    </>
  );
}

function Controls() {
  const text = useStore(words).live;
  const { phase, startedAt } = useStore(session);
  if (!isRunning(phase)) return null;
  return (
    <div class="card live-controls">
      <span class={`badge ${phase === "live" ? "bad" : "calm"}`} role="status">
        {text.phases[phase]}
      </span>
      <Elapsed since={startedAt} />
      <span class="spring" />
      {phase === "live" && (
        <button type="button" onClick={pauseSession}>
          <Icon name="pause" />
          {text.pause}
        </button>
      )}
      {phase === "paused" && (
        <button type="button" onClick={continueSession}>
          <Icon name="play" />
          {text.goOn}
        </button>
      )}
      {phase === "ending" ? (
        <>
          <span class="soft">{text.ending}</span>
          <button type="button" onClick={leaveSession}>
            {text.leave}
          </button>
        </>
      ) : (
        <button type="button" class="primary" onClick={stopSession}>
          <Icon name="stop" />
          {text.stop}
        </button>
      )}
    </div>
  );
}

function Ended() {
  const text = useStore(words).live;
  const { job, withSummary, problem, isLeft } = useStore(session);
  const sentence = problem || isLeft ? text.broken : withSummary ? text.endedSummary : text.ended;
  return (
    <div class="card">
      <p role="status">{sentence}</p>
      <div class="buttons">
        <Link class="button primary" to={`/recordings/${job}`}>
          {text.open}
        </Link>
        <button type="button" onClick={forgetSession}>
          {text.another}
        </button>
      </div>
    </div>
  );
}

/** What a person should know: no connection, lost sound, warnings of the mesh. */
function Troubles() {
  const text = useStore(words).live;
  const shown = useStore(language);
  const kept = useStore(waiting);
  const { phase, isConnected, isUnread, problem, lost, notes } = useStore(session);
  const isAway = isRunning(phase) && !isConnected;
  return (
    <>
      {isAway && problem && (
        <div class="notice" role="status">
          <Icon name="warning" />
          <p>
            {text.reconnecting(bytes(kept, shown))} {problem.status > 0 && problem.message}
          </p>
        </div>
      )}
      {isRunning(phase) && isConnected && isUnread && (
        <div class="notice" role="alert">
          <Icon name="warning" />
          <p>{text.unread}</p>
        </div>
      )}
      {phase === "ended" && problem && <ProblemNotice problem={problem} />}
      {lost > 0 && (
        <div class="notice bad" role="alert">
          <Icon name="warning" />
          <p>{text.lost(lost.toFixed(0))}</p>
        </div>
      )}
      {notes.map(({ warning, count }) => (
        <div class="notice" role="status" key={warning.message}>
          <Icon name="warning" />
          <p>
            {warningText(warning, shown)}
            {count > 1 && ` (${count})`}
          </p>
        </div>
      ))}
    </>
  );
}

function Track({ track }: { track: SourceKind }) {
  const text = useStore(words);
  const { behind } = useStore(session);
  const unfinished = useStore(captions).unfinished[track];
  const name = text.sound[track];
  const late = behind[track] ?? 0;
  return (
    <li>
      <div class="track-head">
        <strong>{name}</strong>
        <Level level={levels[track]} name={name} />
        {late > 0 && <span class="badge late">{text.live.behind(late.toFixed(0))}</span>}
      </div>
      {/* Screen readers get the finished lines; what still changes would only stutter. */}
      <p class="unfinished" aria-hidden="true">
        {unfinished ? (
          <>
            <span class="stable">{unfinished.stable}</span> {unfinished.rest}
          </>
        ) : (
          text.live.listening
        )}
      </p>
    </li>
  );
}

function Said() {
  const text = useStore(words);
  const { lines } = useStore(captions);
  const { phase, tracks } = useStore(session);
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    if (follows.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  function scrolled(): void {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    follows.current = scrollHeight - scrollTop - clientHeight < FOLLOWED_PX;
  }
  const names: Record<string, string> = { microphone: text.sound.microphone, tab: text.sound.tab };
  return (
    <section class="card" aria-labelledby="said-title">
      <h2 id="said-title">{text.live.said}</h2>
      <div
        class="said-box"
        ref={box}
        role="log"
        aria-labelledby="said-title"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        tabIndex={0}
        onScroll={scrolled}
      >
        {lines.length === 0 && (
          <p class="soft">{phase === "ended" ? text.live.nothingSaid : text.live.saidEmpty}</p>
        )}
        {lines.map((line) => (
          <p key={line.id} class="said-line">
            <span class="time">{clock(line.start)}</span>
            <span>
              {tracks.length > 1 && <span class="speaker">{names[line.track]}</span>}
              <Spoken line={line} />
            </span>
          </p>
        ))}
      </div>
    </section>
  );
}
