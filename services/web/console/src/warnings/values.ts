import type { Warning } from "../api/types";
import { clock, endOf, oneDigit, spokenName, startOf } from "../format";

/** Shorter ranges are a moment, in seconds. */
const MOMENT = 0.1;

/** What is about a place in a recording: a moment, or from one time to another. */
export type Where = { at: string } | { from: string; to: string };

/** The values of a warning (types.proto, `Warning.metadata`) as a language writes them; undefined where there are none. */
export class Values {
  constructor(
    private readonly warning: Warning,
    private readonly language: string,
  ) {}

  /** As the mesh wrote it. */
  text(key: string): string | undefined {
    return this.warning.metadata?.[key] || undefined;
  }

  amount(key: string): number | undefined {
    const text = this.text(key);
    return text === undefined ? undefined : Number(text);
  }

  whole(key: string): string | undefined {
    return this.written(key, (value) => Math.round(value).toLocaleString(this.language));
  }

  oneDigit(key: string): string | undefined {
    return this.written(key, (value) => oneDigit(value, this.language));
  }

  percent(key: string): string | undefined {
    const format = { style: "percent", maximumFractionDigits: 1 } as const;
    return this.written(key, (value) => value.toLocaleString(this.language, format));
  }

  clock(key: string): string | undefined {
    return this.written(key, clock);
  }

  /** A list such as "1, 2 and 3". */
  list(key: string, type: Intl.ListFormatType = "conjunction"): string | undefined {
    return this.joined(this.text(key)?.split(","), type);
  }

  /** The names of languages, such as "German or Danish". */
  languages(key: string): string | undefined {
    const names = this.text(key)
      ?.split(",")
      .map((tag) => spokenName(tag, this.language));
    return this.joined(names, "disjunction");
  }

  get where(): Where | undefined {
    const { range } = this.warning;
    if (!range) return undefined;
    const [start, end] = [startOf(range), endOf(range)];
    return end - start < MOMENT ? { at: clock(start) } : { from: clock(start), to: clock(end) };
  }

  private written(key: string, write: (value: number) => string): string | undefined {
    const value = this.amount(key);
    return value === undefined ? undefined : write(value);
  }

  private joined(parts: string[] | undefined, type: Intl.ListFormatType): string | undefined {
    return parts && new Intl.ListFormat(this.language, { type }).format(parts);
  }
}
