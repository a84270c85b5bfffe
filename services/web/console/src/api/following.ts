import { isFinal } from "../format";
import { api, type Problem, problemOf } from "./client";
import { asksAnew, EVENTS, type JobEvent, refreshed, withEvents } from "./events";
import type { Job } from "./types";

// A page is drawn at most so often.
const TOGETHER_MS = 250;
// A browser connects again after two seconds; what it does not mend then is looked at.
const BREAK_MS = 4000;
// The stream may be held back by a proxy, or end in a network that is gone without a word.
const SILENCE_MS = 30_000;

export interface Listener {
  changed(job: Job): void;
  /** Why it is not followed at the moment; null once it is. */
  broken(problem: Problem | null): void;
}

/**
 * Follows a job by its events until it ends, while the page is seen.
 *
 * A browser has six connections to a host over HTTP/1.1, for all of its windows together. So a page that nobody sees
 * has none, and goes on from the last event when it is seen again.
 */
export class Following {
  private source: EventSource | null = null;
  private lastId = "";
  private waiting: JobEvent[] = [];
  private drawing = 0;
  private checking = 0;
  private checksSoon = false;
  private readonly ended = new AbortController();

  constructor(
    private job: Job,
    private readonly listener: Listener,
  ) {
    document.addEventListener("visibilitychange", this.look);
    this.look();
  }

  stop(): void {
    this.ended.abort();
    this.close();
    document.removeEventListener("visibilitychange", this.look);
  }

  private readonly look = (): void => {
    if (document.hidden) this.close();
    else if (!this.source) this.open();
  };

  private open(): void {
    this.source = new EventSource(api.eventsOf(this.job.job_id, this.lastId));
    for (const name of EVENTS) this.source.addEventListener(name, this.take);
    this.source.onopen = () => {
      this.listener.broken(null);
      this.isAlive();
    };
    this.source.onerror = () => this.checkSoon(BREAK_MS);
    this.isAlive();
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    clearTimeout(this.checking);
    clearTimeout(this.drawing);
    this.checksSoon = false;
    this.draw();
  }

  private readonly take = (message: MessageEvent<string>): void => {
    const event = JSON.parse(message.data) as JobEvent;
    this.lastId = message.lastEventId || this.lastId;
    if (asksAnew(this.job, event)) this.checkSoon(TOGETHER_MS);
    this.isAlive();
    if (this.waiting.push(event) === 1) this.drawing = setTimeout(() => this.draw(), TOGETHER_MS);
  };

  private draw(): void {
    if (this.waiting.length === 0) return;
    const events = this.waiting;
    this.waiting = [];
    this.show(withEvents(this.job, events));
  }

  private show(job: Job): void {
    if (this.ended.signal.aborted) return;
    this.job = job;
    if (isFinal(job.state)) this.stop();
    this.listener.broken(null);
    this.listener.changed(job);
  }

  private isAlive(): void {
    if (!this.checksSoon) this.checkIn(SILENCE_MS);
  }

  private checkSoon(ms: number): void {
    if (this.checksSoon) return;
    this.checksSoon = true;
    this.checkIn(ms);
  }

  private checkIn(ms: number): void {
    clearTimeout(this.checking);
    this.checking = setTimeout(() => void this.check(), ms);
  }

  /** Asks for the job itself, and opens a stream that the browser has given up. */
  private async check(): Promise<void> {
    this.checksSoon = false;
    try {
      this.show(refreshed(await api.job(this.job.job_id, this.ended.signal), this.job));
    } catch (error) {
      if (!this.ended.signal.aborted) this.listener.broken(problemOf(error));
    }
    if (this.ended.signal.aborted || !this.source) return;
    if (this.source.readyState === EventSource.CLOSED) this.open();
    else this.isAlive();
  }
}
