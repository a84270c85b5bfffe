import { Problem, problemOf } from "../api/client";
import { newId } from "../ids";
import { closeSources, openSources, type SoundChoice, type Source } from "../sound/sources";
import { Store } from "../store";
import { words } from "../words";
import { allKept, forget, type Kept, keepPart, soundOf } from "./kept";

export interface Recorder {
  phase: "idle" | "starting" | "recording";
  /** When it began, in milliseconds. */
  started: number;
  problem: Problem | null;
}

const IDLE: Recorder = { phase: "idle", started: 0, problem: null };
// What a page that is killed loses at most.
const PART_MS = 1000;
const LEVEL_MS = 100;
const SPEECH_BITS_A_SECOND = 64_000;
// Chrome's and Firefox's, and Safari's.
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
// Held while a window records, so that others do not offer what is not finished.
const LOCK = "maie-recording-";

/** The recording of this window; it goes on while other pages of the console are open. */
export const recorder = new Store<Recorder>(IDLE);
export const level = new Store(0);
/** What was recorded in this browser and not sent. */
export const unsent = new Store<readonly Kept[]>([]);

let running: Recording | null = null;
// What the browser could not keep outlives no page.
const inMemory = new Map<string, { kept: Kept; sound: Blob }>();

export async function startRecording(choice: SoundChoice): Promise<void> {
  recorder.set({ ...IDLE, phase: "starting" });
  let sources: Source[] = [];
  try {
    sources = await openSources(choice);
    running = new Recording(sources);
    recorder.set({ ...IDLE, phase: "recording", started: running.kept.started });
  } catch (error) {
    closeSources(sources);
    recorder.set({ ...IDLE, problem: problemOf(error) });
  }
}

export function stopRecording(): void {
  running?.stop();
}

/** Looks for recordings that are kept and that no window works on. */
export async function findUnsent(): Promise<void> {
  const held = (await navigator.locks?.query())?.held ?? [];
  const busy = new Set(held.map((lock) => lock.name));
  const found = (await allKept()).filter((each) => !busy.has(LOCK + each.id));
  unsent.set([...[...inMemory.values()].map((each) => each.kept), ...found]);
}

export async function fileOf(kept: Kept): Promise<File> {
  const sound = inMemory.get(kept.id)?.sound ?? (await soundOf(kept));
  const [type = ""] = kept.type.split(";");
  const ending = type.split("/")[1] ?? "";
  // Swedes write times as ISO 8601 does; a colon is no part of a file's name everywhere.
  const time = new Date(kept.started).toLocaleString("sv").replaceAll(":", ".");
  return new File([sound], `${words.value.recorder.name} ${time}.${ending}`, { type });
}

export async function discard(id: string): Promise<void> {
  inMemory.delete(id);
  await forget(id);
  await findUnsent();
}

class Recording {
  readonly kept: Kept;
  private readonly context = new AudioContext();
  private readonly media: MediaRecorder;
  private readonly parts: Blob[] = [];
  private readonly analyser: AnalyserNode;
  private readonly timer: number;
  private keeping: Promise<void> = Promise.resolve();
  private readonly lock: Promise<void> | undefined;
  private release = () => {};
  private left = 0;

  constructor(private readonly sources: readonly Source[]) {
    const type = TYPES.find((each) => MediaRecorder.isTypeSupported(each));
    if (!type) throw new Problem(0, "CONSOLE", words.value.recorder.notOffered);
    this.kept = { id: newId(), started: Date.now(), seconds: 0, type };
    this.analyser = this.context.createAnalyser();
    this.media = new MediaRecorder(this.mixed(), {
      mimeType: type,
      audioBitsPerSecond: SPEECH_BITS_A_SECOND,
    });
    this.media.ondataavailable = ({ data }) => this.take(data);
    this.media.onstop = () => void this.finish();
    const ended = new Promise<void>((end) => {
      this.release = end;
    });
    this.lock = navigator.locks?.request(LOCK + this.kept.id, () => ended);
    // One that waits for a click would record silence.
    void this.context.resume();
    this.media.start(PART_MS);
    this.timer = setInterval(() => this.showLevel(), LEVEL_MS);
  }

  stop(): void {
    if (this.media.state !== "inactive") this.media.stop();
  }

  private mixed(): MediaStream {
    const out = this.context.createMediaStreamDestination();
    this.analyser.connect(out);
    for (const { stream } of this.sources) {
      this.context.createMediaStreamSource(stream).connect(this.analyser);
      for (const track of stream.getAudioTracks()) track.onended = () => this.sourceEnded();
    }
    return out.stream;
  }

  private sourceEnded(): void {
    this.left += 1;
    if (this.left === this.sources.length) this.stop();
  }

  private take(part: Blob): void {
    if (!part.size) return;
    const index = this.parts.push(part) - 1;
    this.kept.seconds = (Date.now() - this.kept.started) / 1000;
    const kept = { ...this.kept };
    this.keeping = this.keeping.then(() => keepPart(kept, index, part)).catch(() => this.notKept());
  }

  private notKept(): void {
    const sound = new Blob(this.parts, { type: this.kept.type });
    inMemory.set(this.kept.id, { kept: this.kept, sound });
    recorder.set({ ...recorder.value, problem: new Problem(0, "CONSOLE", words.value.recorder.notKept) });
  }

  private async finish(): Promise<void> {
    clearInterval(this.timer);
    closeSources(this.sources);
    level.set(0);
    await this.keeping;
    // All of it, where a part could not be kept.
    if (inMemory.has(this.kept.id)) this.notKept();
    await this.context.close();
    this.release();
    await this.lock;
    running = null;
    recorder.set({ ...recorder.value, phase: "idle" });
    await findUnsent();
  }

  private showLevel(): void {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    level.set(samples.reduce((peak, each) => Math.max(peak, Math.abs(each)), 0));
  }
}
