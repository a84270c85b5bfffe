import { documentToProblem, Problem } from "../api/client";
import { words } from "../words";
import type { LiveEvent, SessionConfig, Started, TrackMessage } from "./events";
import type { Outbox } from "./outbox";

export interface Listener {
  /** An event of the session; durable ones come once and in order. */
  event(event: LiveEvent): void;
  /** Whether there is a connection, and why there is none. */
  link(isOpen: boolean, problem: Problem | null): void;
  /** The session cannot go on, or could not begin. */
  failed(problem: Problem): void;
}

const TICK_MS = 1000;
// The server sends an event every two seconds. Ticks count instead of time, so that a page that was frozen
// itself suspects nobody.
const MOST_SILENT_TICKS = 8;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5000;
// More would only be kept twice.
const MOST_BUFFERED_BYTES = 256 * 1024;
// The same messages would meet the same answer again. 401 is none of them: somebody may log in in another window.
const FATAL = [400, 403, 404, 409, 413, 422];
const FATAL_REASONS = ["TRACKS_FULL", "SESSION_ENDED"];
const WITHOUT_PLACE = ["LIVE_BUSY", "LIVE_UNAVAILABLE"];
// A track that found no place at a replica tries again in a new connection.
const PLACE_WAIT_MS = 3000;

/** A session's WebSocket, and the next one where it breaks. */
export class Connection {
  private socket: WebSocket | null = null;
  private started: Started | null = null;
  private ready = false;
  private after = 0;
  private failures = 0;
  private silentTicks = 0;
  private namedTrack = "";
  private asksEnd = false;
  private sentEnd = false;
  private isOver = false;
  private retry = 0;
  private placeRetry = 0;
  private readonly ticking = setInterval(() => this.tick(), TICK_MS);

  constructor(
    private readonly config: SessionConfig,
    private readonly outbox: Outbox,
    private readonly listener: Listener,
  ) {
    addEventListener("online", this.connectNow);
    this.connect();
  }

  /** The session's id, which is its recording's; empty before it has begun. */
  get sessionId(): string {
    return this.started?.session_id ?? "";
  }

  /** Sends what the outbox has, as far as the connection takes it. */
  pump(): void {
    while (this.socket && this.ready && this.socket.bufferedAmount < MOST_BUFFERED_BYTES) {
      const message = this.outbox.take();
      if (!message) break;
      this.send(this.socket, message.track, message.content);
    }
    if (this.asksEnd && !this.sentEnd && this.ready && this.outbox.isDrained) {
      this.sentEnd = true;
      this.socket?.send(JSON.stringify({ end: {} }));
    }
  }

  /** Ends the session once everything is sent. */
  end(): void {
    this.asksEnd = true;
    this.pump();
  }

  /** Leaves the session as it is; the server ends it when nobody comes back. */
  close(): void {
    this.isOver = true;
    clearInterval(this.ticking);
    clearTimeout(this.retry);
    clearTimeout(this.placeRetry);
    removeEventListener("online", this.connectNow);
    this.hangUp();
  }

  private connect(): void {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/live`);
    this.socket = socket;
    this.silentTicks = 0;
    socket.onopen = () => socket.send(JSON.stringify({ start: this.start() }));
    socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
    socket.onclose = () => this.broken(new Problem(0, "UNREACHABLE", words.value.problem.unreachable));
  }

  private readonly connectNow = () => {
    if (this.socket) return;
    clearTimeout(this.retry);
    this.connect();
  };

  private start(): object {
    if (!this.started) return { config: this.config };
    const { session_id, resume_token } = this.started;
    return { session_id, resume_token, after_sequence: String(this.after) };
  }

  private send(socket: WebSocket, track: string, content: ArrayBuffer | TrackMessage): void {
    if (content instanceof ArrayBuffer) {
      if (this.namedTrack !== track) socket.send(JSON.stringify({ audio: { track } }));
      this.namedTrack = track;
      socket.send(content);
      return;
    }
    const [kind, about] = Object.entries(content)[0] ?? [];
    if (kind === "join") this.namedTrack = track;
    if (kind) socket.send(JSON.stringify({ [kind]: { track, ...about } }));
  }

  private receive(message: LiveEvent | { problem: object }): void {
    this.silentTicks = 0;
    if ("problem" in message) {
      const { status } = message.problem as { status: number };
      this.broken(documentToProblem(status, JSON.stringify(message.problem)));
      return;
    }
    if (message.started) this.begin(message.started);
    if (message.acknowledged) this.outbox.settle(message.acknowledged.tracks);
    const sequence = Number(message.sequence ?? 0);
    if (sequence && sequence <= this.after) return;
    if (sequence) this.after = sequence;
    if (message.warning?.track_dropped) this.dropTrack(message.warning);
    this.listener.event(message);
    if (message.ended) this.close();
    else if (message.go_away) this.again(0);
    else this.pump();
  }

  private begin(started: Started): void {
    // Only the first one has the token.
    this.started ??= started;
    this.outbox.rewind(started.tracks);
    this.ready = true;
    this.failures = 0;
    this.listener.link(true, null);
  }

  private dropTrack({ track, warning }: NonNullable<LiveEvent["warning"]>): void {
    if (!WITHOUT_PLACE.includes(warning.reason)) this.outbox.drop(track);
    else {
      clearTimeout(this.placeRetry);
      this.placeRetry = setTimeout(() => this.again(0), PLACE_WAIT_MS);
    }
  }

  private broken(problem: Problem): void {
    if (this.isOver) return;
    const isFatal = FATAL.includes(problem.status) || FATAL_REASONS.includes(problem.reason);
    if (isFatal || !this.started) {
      this.close();
      this.listener.failed(problem);
      return;
    }
    this.failures += 1;
    const longest = Math.min(FIRST_WAIT_MS * 2 ** this.failures, LONGEST_WAIT_MS);
    this.listener.link(false, problem);
    this.again(longest * (0.5 + Math.random() / 2));
  }

  private again(waitMs: number): void {
    this.hangUp();
    clearTimeout(this.retry);
    this.retry = setTimeout(this.connectNow, waitMs);
  }

  private hangUp(): void {
    const socket = this.socket;
    this.socket = null;
    this.ready = false;
    this.sentEnd = false;
    this.namedTrack = "";
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private tick(): void {
    if (!this.socket) return;
    this.silentTicks += 1;
    if (this.silentTicks > MOST_SILENT_TICKS) {
      this.broken(new Problem(0, "UNREACHABLE", words.value.problem.unreachable));
    } else this.pump();
  }
}
