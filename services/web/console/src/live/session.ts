import { type Problem, problemOf, toLogin } from "../api/client";
import type { Warning } from "../api/types";
import { Sampling } from "../sound/sampling";
import { closeSources, openSources, type SoundChoice, type Source, type SourceKind } from "../sound/sources";
import { Store } from "../store";
import type { Choice } from "../upload/queue";
import { words } from "../words";
import { heard, NOTHING_SAID } from "./captions";
import { Connection } from "./connection";
import type { LiveEvent, SessionConfig } from "./events";
import { Outbox } from "./outbox";
import { keepAwake, letSleep } from "./wake";

export type Phase = "idle" | "starting" | "live" | "paused" | "ending" | "ended";

export interface Note {
  warning: Warning;
  count: number;
}

export interface Session {
  phase: Phase;
  tracks: readonly SourceKind[];
  isConnected: boolean;
  /** Whether its end was not waited for. */
  isLeft: boolean;
  /** Why the session could not begin or go on, or why there is no connection now. */
  problem: Problem | null;
  /** The id of the recording that it becomes; empty before it has begun. */
  job: string;
  /** Whether the mesh has not read what was sent for a while. */
  isUnread: boolean;
  /** Seconds of sound that were not kept while there was no connection. */
  lost: number;
  /** Seconds by which recognition is behind, by track. */
  behind: Readonly<Record<string, number>>;
  notes: readonly Note[];
  withSummary: boolean;
  /** When it began, in milliseconds. */
  startedAt: number;
}

export interface LiveChoice extends Choice {
  sound: SoundChoice;
  keepAudio: boolean;
  /** Whether several people share a microphone, or the sound of a tab. */
  severalSpeakers: boolean;
  name: string;
}

const NONE: Session = {
  phase: "idle",
  tracks: [],
  isConnected: false,
  problem: null,
  job: "",
  isUnread: false,
  isLeft: false,
  lost: 0,
  behind: {},
  notes: [],
  withSummary: false,
  startedAt: 0,
};
// Half an hour of two tracks; a session that nobody resumes ends long before.
const MOST_KEPT_BYTES = 128 * 1024 * 1024;
const SOUND_SECONDS = 0.1;
// Silence in place of a pause is sent once a second.
const PAUSE_SECONDS = 1;
// So much sound without any sign that it was read means that nothing reads it: words come while they are spoken,
// and silence is acknowledged every ten seconds.
const UNREAD_SECONDS = 20;
// A track that is behind says so at least this often.
const LAG_MS = 5000;

/** The session of this window; it goes on while other pages of the console are open. */
export const session = new Store<Session>(NONE);
export const captions = new Store(NOTHING_SAID);
/** How loud each track is, 0 to 1. */
export const levels: Readonly<Record<SourceKind, Store<number>>> = {
  microphone: new Store(0),
  tab: new Store(0),
};
/** The sound that waits for the connection, in bytes. */
export const waiting = new Store(0);

let running: Running | null = null;

export async function startSession(choice: LiveChoice): Promise<void> {
  session.set({ ...NONE, phase: "starting", withSummary: choice.features.includes("summary") });
  captions.set(NOTHING_SAID);
  let sources: Source[] = [];
  try {
    sources = await openSources(choice.sound);
    await Running.open(sources, choice);
  } catch (error) {
    closeSources(sources);
    running?.leave();
    session.set({ ...NONE, problem: problemOf(error) });
  }
}

export function pauseSession(): void {
  running?.pause();
  change({ phase: "paused" });
}

export function continueSession(): void {
  change({ phase: "live" });
}

export function stopSession(): void {
  running?.stop();
}

/** Waits no longer for a session's end; the server ends it when nobody comes back. */
export function leaveSession(): void {
  running?.leave();
}

export function forgetSession(): void {
  session.set(NONE);
  captions.set(NOTHING_SAID);
}

export function isRunning(phase: Phase): phase is "live" | "paused" | "ending" {
  return phase === "live" || phase === "paused" || phase === "ending";
}

function change(to: Partial<Session>): void {
  session.set({ ...session.value, ...to });
}

/** A session with its sound and its connection. */
class Running {
  private readonly outbox = new Outbox(MOST_KEPT_BYTES);
  private readonly connection: Connection;
  private readonly paused = new Map<string, number>();
  private readonly lagging = new Map<string, number>();
  private left = 0;
  private unread = 0;
  private durable = 0;

  private constructor(
    private readonly sources: readonly Source[],
    private readonly samplings: readonly Sampling[],
    choice: LiveChoice,
  ) {
    this.connection = new Connection(configOf(choice, samplings[0]?.hertz ?? 0), this.outbox, this);
  }

  static async open(sources: readonly Source[], choice: LiveChoice): Promise<void> {
    const samplings = await Promise.all(sources.map((each) => Sampling.open(each.stream)));
    change({ phase: "live", tracks: sources.map((each) => each.kind), startedAt: Date.now() });
    running = new Running(sources, samplings, choice);
    await Promise.all([keepAwake(), ...running.listen()]);
  }

  pause(): void {
    for (const { kind } of this.sources) this.outbox.add(kind, { finalize: {} });
    this.connection.pump();
  }

  stop(): void {
    change({ phase: "ending" });
    this.silence();
    this.connection.end();
  }

  leave(): void {
    this.connection.close();
    change({ isLeft: true });
    this.over(this.connection.sessionId);
  }

  event(event: LiveEvent): void {
    const said = heard(captions.value, event);
    if (said !== captions.value) captions.set(said);
    if (event.partial || event.final || this.isFurther(event)) this.unread = 0;
    if (event.started) change({ job: this.connection.sessionId });
    if (event.lag) this.lag(event.lag.track, Number.parseFloat(event.lag.behind));
    if (event.warning) note(event.warning.warning);
    if (event.ended) this.over(event.ended.job_id);
  }

  link(isConnected: boolean, problem: Problem | null): void {
    change({ isConnected, problem });
  }

  failed(problem: Problem): void {
    const job = this.connection.sessionId;
    const isComplete = problem.reason === "SESSION_ENDED";
    if (job) this.over(job, isComplete ? null : problem);
    else {
      this.silence();
      running = null;
      void letSleep();
      session.set({ ...NONE, problem });
      if (problem.status === 401) toLogin();
    }
  }

  private listen(): Promise<void>[] {
    return this.sources.map(({ kind, stream }, index) => {
      const sampling = this.samplings[index] as Sampling;
      const format = { encoding: "LINEAR16", sample_rate_hertz: sampling.hertz } as const;
      this.outbox.add(kind, { join: { display_name: words.value.sound[kind], format } });
      for (const each of stream.getAudioTracks()) each.onended = () => this.trackEnded(kind);
      return sampling.start(({ sound, peak }) => this.take(kind, sound, peak));
    });
  }

  private take(track: SourceKind, sound: ArrayBuffer, peak: number): void {
    const isPaused = session.value.phase === "paused";
    levels[track].set(isPaused ? 0 : peak);
    if (isPaused) this.takePause(track);
    else {
      this.endPause(track);
      const isKept = this.outbox.addSound(track, sound, SOUND_SECONDS);
      if (!isKept) change({ lost: session.value.lost + SOUND_SECONDS });
      this.unread += session.value.isConnected ? SOUND_SECONDS : 0;
    }
    const isUnread = this.unread > UNREAD_SECONDS * this.sources.length;
    if (isUnread !== session.value.isUnread) change({ isUnread });
    this.connection.pump();
    waiting.set(session.value.isConnected ? 0 : this.outbox.bytes);
  }

  private takePause(track: string): void {
    this.paused.set(track, (this.paused.get(track) ?? 0) + SOUND_SECONDS);
    if ((this.paused.get(track) ?? 0) >= PAUSE_SECONDS) this.endPause(track);
  }

  private endPause(track: string): void {
    const length = this.paused.get(track);
    if (length) this.outbox.addSilence(track, length);
    this.paused.delete(track);
  }

  private trackEnded(track: SourceKind): void {
    if (!isRunning(session.value.phase)) return;
    note({ reason: "", message: words.value.live.trackEnded(words.value.sound[track]) });
    this.outbox.add(track, { leave: {} });
    this.left += 1;
    if (this.left === this.sources.length) this.stop();
    else this.connection.pump();
  }

  private isFurther({ acknowledged }: LiveEvent): boolean {
    const tracks = acknowledged?.tracks ?? [];
    const durable = tracks.reduce((sum, each) => sum + Number(each.durable_sequence), 0);
    const isFurther = durable > this.durable;
    this.durable = Math.max(durable, this.durable);
    return isFurther;
  }

  private lag(track: string, behind: number): void {
    change({ behind: { ...session.value.behind, [track]: behind } });
    clearTimeout(this.lagging.get(track));
    const caughtUp = () => change({ behind: { ...session.value.behind, [track]: 0 } });
    this.lagging.set(track, setTimeout(caughtUp, LAG_MS));
  }

  private silence(): void {
    closeSources(this.sources);
    for (const each of this.samplings) void each.close();
    for (const each of Object.values(levels)) each.set(0);
  }

  private over(job: string, problem: Problem | null = null): void {
    if (session.value.phase !== "ending") this.silence();
    for (const timer of this.lagging.values()) clearTimeout(timer);
    running = null;
    waiting.set(0);
    void letSleep();
    change({ phase: "ended", job, problem, behind: {} });
  }
}

function configOf(choice: LiveChoice, hertz: number): SessionConfig {
  const { template, language, name, severalSpeakers } = choice;
  const features = severalSpeakers ? [...choice.features, "speakers"] : choice.features;
  return {
    format: { encoding: "LINEAR16", sample_rate_hertz: hertz },
    job: {
      features,
      ...(features.includes("summary") ? { template_id: template } : {}),
      ...(name ? { display_name: name } : {}),
      ...(language ? { asr_options: { language_code: language } } : {}),
    },
    refinements: features.includes("clean_transcript"),
    keep_audio: choice.keepAudio,
    several_speakers: severalSpeakers,
  };
}

/** Shows a warning; one that comes again is counted. */
function note(warning: Warning): void {
  const { notes } = session.value;
  const before = notes.find((each) => each.warning.message === warning.message);
  const others = notes.filter((each) => each !== before);
  change({ notes: [...others, { warning, count: (before?.count ?? 0) + 1 }] });
}
