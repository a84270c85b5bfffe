import { DetailedError, Upload as Tus } from "tus-js-client";
import { Problem } from "../api/client";
import { words } from "../words";
import { beginWithForm, needsForm } from "./form";
import type { Choice } from "./queue";
import { isGone, remove } from "./requests";
import { type Answer, isPassing, metadataOf, pauseMs, problemIn, silenceMs, unreachable } from "./resuming";

const ENDPOINT = "/v1/uploads";

/** What a transfer reports. */
export interface Listener {
  /** The upload has an address, at which it goes on after this page was closed. */
  begun(address: string): void;
  /** What the server had has expired or was removed; it begins anew. */
  expired(): void;
  /** The share that was sent, 0 to 1. */
  progress(fraction: number): void;
  /** It goes on by itself later. */
  paused(problem: Problem): void;
  /** All was sent, and is this job. */
  sent(jobId: string): void;
  failed(problem: Problem): void;
}

export interface Sent {
  file: File;
  /** The Idempotency-Key. */
  key: string;
  choice: Choice;
  /** Where the upload is; empty for one that has not begun. */
  address: string;
}

/** Sends a file by tus, and goes on after breaks until it is sent, refused or stopped. */
export class Transfer {
  private tus: Tus | null = null;
  private address: string;
  private jobId = "";
  private fraction = 0;
  private keptBytes = 0;
  private breaks = 0;
  private isPaused = false;
  private hasEnded = false;
  // Until the connection is taken for broken, or the pause is over.
  private timer = 0;

  constructor(
    private readonly what: Sent,
    private readonly listener: Listener,
  ) {
    this.address = what.address;
  }

  start(): void {
    const { file, key, choice } = this.what;
    if (this.address || !needsForm(choice)) {
      this.send();
      return;
    }
    beginWithForm(file, key, choice).then(
      (address) => {
        if (this.hasEnded) return void remove(address).catch(() => undefined);
        this.address = address;
        this.send();
      },
      (problem: Problem) => void this.broke(problem),
    );
  }

  private send(): void {
    const { file, key, choice } = this.what;
    this.tus = new Tus(file, {
      // One that began with a form begins anew with it.
      endpoint: needsForm(choice) ? null : ENDPOINT,
      uploadUrl: this.address || null,
      metadata: metadataOf(file, choice),
      // An upload that is begun twice is one job all the same.
      headers: { "idempotency-key": key },
      // This class pauses instead, without an end.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onAfterResponse: (request, response) => this.answered(request.getMethod(), response),
      onUploadUrlAvailable: () => this.begun(),
      onProgress: (sent, total) => this.progress(sent / total),
      onSuccess: () => {
        this.end();
        this.listener.sent(this.jobId);
      },
      onError: (error) => void this.broke(problemOf(error)),
    });
    this.watch();
    this.tus.start();
  }

  /** Ends a pause at once. */
  readonly goOn = (): void => {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.rest();
    this.start();
  };

  private readonly lookedAt = (): void => {
    if (!document.hidden) this.goOn();
  };

  /** Stops, and removes what the server has. One that cannot be removed now expires by itself. */
  stop(): void {
    this.end();
    this.tus?.abort(true).catch(() => undefined);
  }

  private end(): void {
    this.hasEnded = true;
    this.rest();
  }

  private rest(): void {
    clearTimeout(this.timer);
    removeEventListener("online", this.goOn);
    document.removeEventListener("visibilitychange", this.lookedAt);
  }

  /** Waits for a sign of life, or takes the connection for broken. */
  private watch(): void {
    clearTimeout(this.timer);
    const limit = silenceMs(this.what.file.size, this.fraction >= 1);
    this.timer = setTimeout(() => {
      void this.tus?.abort();
      void this.broke(unreachable());
    }, limit);
  }

  private answered(method: string, answer: Answer): void {
    this.watch();
    this.jobId = answer.getHeader("maie-job-id") ?? this.jobId;
    if (method !== "HEAD") return;
    const status = answer.getStatus();
    if (isGone(status)) this.listener.expired();
    // tus-js-client takes all others, too, for an upload that is gone, and would begin another one.
    else if (status >= 300) throw problemIn(answer);
    const kept = Number(answer.getHeader("upload-offset") ?? 0);
    if (kept > this.keptBytes) this.breaks = 0;
    this.keptBytes = kept;
  }

  private begun(): void {
    this.address = this.tus?.url ?? "";
    this.listener.begun(this.address);
  }

  private progress(fraction: number): void {
    this.fraction = fraction;
    this.watch();
    this.listener.progress(fraction);
  }

  private async broke(problem: Problem): Promise<void> {
    clearTimeout(this.timer);
    // A file that was changed or removed breaks the connection, too.
    const found = (await isReadable(this.what.file)) ? problem : changed();
    if (this.hasEnded) return;
    if (this.address && isGone(found.status) && needsForm(this.what.choice)) {
      this.address = "";
      return this.start();
    }
    if (!isPassing(found)) {
      this.end();
      return this.listener.failed(found);
    }
    this.isPaused = true;
    this.listener.paused(found);
    this.timer = setTimeout(this.goOn, pauseMs(this.breaks++, found));
    addEventListener("online", this.goOn);
    document.addEventListener("visibilitychange", this.lookedAt);
  }
}

/** The problem of an error of tus-js-client. */
function problemOf(error: Error): Problem {
  if (!(error instanceof DetailedError)) return unreachable();
  if (error.causingError instanceof Problem) return error.causingError;
  return error.originalResponse ? problemIn(error.originalResponse) : unreachable();
}

function changed(): Problem {
  return new Problem(0, "FILE_CHANGED", words.value.upload.changed);
}

async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
