import type { Duration, Job, JobState, TimeRange } from "./api/types";

/** The seconds of "12.300s"; 0 where it is unset. */
export function seconds(duration: Duration | undefined): number {
  return duration ? Number.parseFloat(duration) : 0;
}

export function startOf(range: TimeRange | undefined): number {
  return seconds(range?.start_offset);
}

export function endOf(range: TimeRange | undefined): number {
  return seconds(range?.end_offset);
}

/** A time in a recording: "0:07", "12:05" or "3:00:59". */
export function clock(time: number): string {
  const whole = Math.max(0, Math.floor(time));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export function isFinal(state: JobState): boolean {
  return state === "COMPLETE" || state === "FAILED" || state === "CANCELLED";
}

export function nameOf(job: Job): string {
  return job.display_name || job.config?.filename || job.job_id;
}

export function bytes(count: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const unit = units[power] ?? "byte";
  const format = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language, format).format(count / 1000 ** power);
}

export function moment(timestamp: string, language: string): string {
  const format = { dateStyle: "medium", timeStyle: "short" } as const;
  return new Intl.DateTimeFormat(language, format).format(new Date(timestamp));
}

export function day(timestamp: string, language: string): string {
  return new Date(timestamp).toLocaleDateString(language, { dateStyle: "medium" });
}

// Kept, since they take far longer to make than to use, and each doubtful word of a transcript has a percentage.
const percents = new Map<string, Intl.NumberFormat>();

export function percent(share: number, language: string): string {
  let format = percents.get(language);
  if (!format) {
    format = new Intl.NumberFormat(language, { style: "percent" });
    percents.set(language, format);
  }
  return format.format(share);
}

/** The name of a BCP 47 tag; the tag itself where it is none, as what is in an address may be. */
export function spokenName(tag: string, language: string): string {
  try {
    return new Intl.DisplayNames(language, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** "action_items" as "Action items", for keys of a template's schema. */
export function humanised(key: string): string {
  const spaced = key.replaceAll(/[_-]+/g, " ").trim();
  return spaced.charAt(0).toLocaleUpperCase() + spaced.slice(1);
}

export function oneDigit(value: number, language: string): string {
  return value.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}
