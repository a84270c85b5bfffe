import type { TrackMessage, TrackProgress } from "./events";

/** A message about a track: sound as 16-bit samples, or another one. */
export interface Kept {
  track: string;
  sequence: number;
  content: ArrayBuffer | TrackMessage;
}

// What a message without sound counts, so that these are bounded, too.
const MESSAGE_BYTES = 64;
// The contract's limit on one message of silence.
const LONGEST_SILENCE_SECONDS = 3600;

/**
 * What is sent and not yet durable. It is sent again over the next connection; the messages of each track
 * are counted from 1, as the server counts them. Where it is full, sound is replaced by silence of the same length,
 * so that the times of what follows stay right.
 */
export class Outbox {
  private kept: Kept[] = [];
  /** The place of the first message that was not sent over this connection. */
  private next = 0;
  private readonly numbers = new Map<string, number>();
  private readonly dropped = new Set<string>();
  private size = 0;

  constructor(private readonly mostBytes: number) {}

  get bytes(): number {
    return this.size;
  }

  get isDrained(): boolean {
    return this.next === this.kept.length;
  }

  add(track: string, content: ArrayBuffer | TrackMessage): void {
    if (this.dropped.has(track)) return;
    const sequence = (this.numbers.get(track) ?? 0) + 1;
    this.numbers.set(track, sequence);
    this.kept.push({ track, sequence, content });
    this.size += sizeOf(content);
  }

  /** Adds sound; false where there is no room, and silence is in its place. */
  addSound(track: string, sound: ArrayBuffer, seconds: number): boolean {
    if (this.size + sizeOf(sound) <= this.mostBytes) {
      this.add(track, sound);
      return true;
    }
    this.addSilence(track, seconds);
    return this.dropped.has(track);
  }

  /** Adds silence, to the last message of the track where that is unsent silence. */
  addSilence(track: string, seconds: number): void {
    const last = this.kept.findLast((each) => each.track === track);
    const before = last && this.isUnsent(last) ? silenceOf(last.content) : 0;
    if (last && before > 0 && before + seconds <= LONGEST_SILENCE_SECONDS) {
      last.content = silence(before + seconds);
    } else this.add(track, silence(seconds));
  }

  /** The next message to send. */
  take(): Kept | undefined {
    const message = this.kept[this.next];
    if (message) this.next += 1;
    return message;
  }

  /** Keeps nothing more of what is durable. */
  settle(progress: readonly TrackProgress[]): void {
    const durable = new Map(progress.map((each) => [each.track, Number(each.durable_sequence)]));
    this.keepOnly((each) => each.sequence > (durable.get(each.track) ?? 0));
  }

  /** Begins a new connection: all that is not durable is sent again. */
  rewind(progress: readonly TrackProgress[]): void {
    this.settle(progress);
    this.next = 0;
  }

  /** Leaves out a track that cannot be recognised. */
  drop(track: string): void {
    this.dropped.add(track);
    this.keepOnly((each) => each.track !== track);
  }

  private isUnsent(message: Kept): boolean {
    return this.kept.indexOf(message, this.next) >= 0;
  }

  private keepOnly(wanted: (message: Kept) => boolean): void {
    const sent = this.kept.slice(0, this.next).filter(wanted);
    this.kept = [...sent, ...this.kept.slice(this.next).filter(wanted)];
    this.next = sent.length;
    this.size = this.kept.reduce((sum, each) => sum + sizeOf(each.content), 0);
  }
}

function sizeOf(content: ArrayBuffer | TrackMessage): number {
  return MESSAGE_BYTES + (content instanceof ArrayBuffer ? content.byteLength : 0);
}

function silence(seconds: number): TrackMessage {
  return { silence: { duration: `${seconds.toFixed(3)}s` } };
}

function silenceOf(content: ArrayBuffer | TrackMessage): number {
  if (content instanceof ArrayBuffer || !("silence" in content)) return 0;
  return Number.parseFloat(content.silence.duration);
}
