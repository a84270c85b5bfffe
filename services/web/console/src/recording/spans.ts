import type { Timeline, TimelineAttempt } from "../api/types";

/** The shares of a timeline that an attempt waited and ran, 0 to 1. */
export function spans(timeline: Timeline, attempt: TimelineAttempt) {
  const begin = Date.parse(timeline.create_time);
  const end = Date.parse(timeline.finish_time ?? timeline.read_time);
  const whole = Math.max(1, end - begin);
  const at = (time: string | undefined, otherwise: number) => (time ? Date.parse(time) : otherwise);
  const finish = at(attempt.end_time, end);
  const queue = at(attempt.queue_time, begin);
  const start = Math.min(finish, at(attempt.start_time, attempt.end_time ? queue : finish));
  return {
    left: (queue - begin) / whole,
    waiting: Math.max(0, start - queue) / whole,
    running: Math.max(0, finish - start) / whole,
    waitSeconds: Math.max(0, start - queue) / 1000,
    runSeconds: Math.max(0, finish - start) / 1000,
  };
}
