import { useEffect } from "preact/hooks";
import { isField } from "../library/keys";
import { Link } from "../router";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { words } from "../words";
import type { Captions } from "./captions";
import { mirrored } from "./mirror";
import { captions, session } from "./session";
import { Spoken } from "./spoken";

// More do not fit a screen in large type.
const MOST_LINES = 8;

/** The last lines in large type, for a projector. */
export function CaptionsPage() {
  const text = useStore(words);
  const own = useStore(captions);
  const other = useStore(mirrored);
  const { phase, tracks } = useStore(session);
  const shown = phase === "idle" && other ? other : own;
  useKey("f", toggleFullScreen);
  const unfinished = Object.entries(shown.unfinished);
  const names = new Set([
    ...shown.lines.map((line) => line.track),
    ...Object.keys(shown.unfinished),
    ...tracks,
  ]);
  const nameOf = (track: string) =>
    names.size > 1 && (track === "microphone" || track === "tab") ? text.sound[track] : "";
  return (
    <div class="projector">
      <h1 class="unseen">{text.live.captions}</h1>
      <div class="said" role="log" aria-label={text.live.captions}>
        {shown.lines.slice(-MOST_LINES).map((line) => (
          <p key={line.id}>
            <Speaker name={nameOf(line.track)} />
            <Spoken line={line} />
          </p>
        ))}
        {unfinished.map(([track, each]) => (
          <p key={track} class="unfinished" aria-hidden="true">
            <Speaker name={nameOf(track)} />
            {each.stable} {each.rest}
          </p>
        ))}
        {isEmpty(shown) && <p class="unfinished">{text.live.captionsEmpty}</p>}
      </div>
      <div class="projector-foot">
        <Link to="/live" class="button">
          <Icon name="back" />
          {text.live.title}
        </Link>
        <span class="soft">{text.live.captionsKeys}</span>
      </div>
    </div>
  );
}

function Speaker({ name }: { name: string }) {
  return name ? <span class="speaker">{name}</span> : null;
}

function isEmpty(shown: Captions): boolean {
  return shown.lines.length === 0 && Object.keys(shown.unfinished).length === 0;
}

export function toggleFullScreen(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen();
}

/** Acts on a key, outside of fields. */
export function useKey(key: string, act: () => void): void {
  useEffect(() => {
    function pressed(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
      if (event.key.toLowerCase() === key) act();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}
