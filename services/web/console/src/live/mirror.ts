/** Shows the captions of one window in others of this browser, such as one on a projector. */
import { Store } from "../store";
import { type Captions, NOTHING_SAID } from "./captions";
import { captions, isRunning, session } from "./session";

type Message = { asks: true } | { captions: Captions };

// A projector shows the last lines alone.
const MOST_LINES = 20;

/** The captions of another window that runs a session; null while there is none. */
export const mirrored = new Store<Captions | null>(null);

const channel = new BroadcastChannel("maie-live");

export function startMirror(): void {
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if ("captions" in data) mirrored.set(data.captions);
    else send();
  };
  captions.listen(send);
  channel.postMessage({ asks: true });
}

function send(): void {
  if (!isRunning(session.value.phase) && captions.value === NOTHING_SAID) return;
  channel.postMessage({ captions: { ...captions.value, lines: captions.value.lines.slice(-MOST_LINES) } });
}
