import type { ComponentChildren } from "preact";
import { api } from "../api/client";
import type { Citation, Json, Summary as SummaryMessage, TemplateSchema } from "../api/types";
import { useLoaded } from "../api/use";
import { clock, humanised, startOf } from "../format";
import { useStore } from "../store";
import { words } from "../words";
import { pointer } from "./pointer";

type Jump = (citation: Citation) => void;
type SummaryProps = {
  /** The job that made it. */
  job: string;
  summary: SummaryMessage;
  /** The schema of its template, for those who cannot ask for it. */
  known?: TemplateSchema | undefined;
  jump: Jump;
  chosen: string;
};

/** A summary of any template; each item that cites moments leads to them. */
export function Summary({ job, summary, known, jump, chosen }: SummaryProps) {
  const { value: schema } = useLoaded(
    async (signal) => known ?? (await api.jobSchema(job, signal)),
    [job, known],
  );
  const citations = new Map(summary.citations.map((each) => [each.pointer, each]));
  const cited = { citations, jump, chosen };
  return (
    <div class="summary">
      {inOrder(Object.keys(summary.content), schema?.properties).map((key) => {
        const value = summary.content[key] ?? null;
        if (isEmpty(value)) return null;
        return (
          <section key={key}>
            <h3>{schema?.properties?.[key]?.title ?? humanised(key)}</h3>
            <Value value={value} pointer={pointer("", key)} cited={cited} />
          </section>
        );
      })}
    </div>
  );
}

interface Cited {
  citations: ReadonlyMap<string, Citation>;
  jump: Jump;
  chosen: string;
}

function Value({ value, pointer: at, cited }: { value: Json; pointer: string; cited: Cited }) {
  const text = useStore(words).recording;
  if (Array.isArray(value)) {
    return (
      <ul>
        {value.map((each, index) => {
          const place = pointer(at, String(index));
          return (
            <li key={place}>
              <Value value={each} pointer={place} cited={cited} />
            </li>
          );
        })}
      </ul>
    );
  }
  if (value !== null && typeof value === "object") {
    const filled = Object.entries(value).filter(([, each]) => !isEmpty(each));
    const [first, ...rest] = filled.sort(([, one], [, other]) => length(other) - length(one));
    return (
      <Item pointer={at} cited={cited}>
        {first && <Value value={first[1]} pointer={pointer(at, first[0])} cited={cited} />}
        <dl>
          {rest.map(([key, each]) => (
            <div key={key}>
              <dt>{humanised(key)}</dt>
              <dd>
                <Value value={each} pointer={pointer(at, key)} cited={cited} />
              </dd>
            </div>
          ))}
        </dl>
      </Item>
    );
  }
  const shown = typeof value === "boolean" ? (value ? text.yes : text.no) : String(value);
  return (
    <Item pointer={at} cited={cited}>
      <span>{shown}</span>
    </Item>
  );
}

function Item({
  pointer: at,
  cited,
  children,
}: {
  pointer: string;
  cited: Cited;
  children: ComponentChildren;
}) {
  const text = useStore(words).recording;
  const citation = cited.citations.get(at);
  if (!citation) return <>{children}</>;
  const time = clock(startOf(citation.ranges[0]));
  return (
    <div class={cited.chosen === at ? "item chosen" : "item"} data-pointer={at}>
      <div>{children}</div>
      <button
        type="button"
        class="time"
        aria-label={text.seek(time)}
        aria-pressed={cited.chosen === at}
        onClick={() => cited.jump(citation)}
      >
        {time}
      </button>
    </div>
  );
}

/** Keys in the order of the schema; those that it does not know follow. */
function inOrder(keys: readonly string[], properties: object | undefined): string[] {
  const known = Object.keys(properties ?? {}).filter((key) => keys.includes(key));
  return [...known, ...keys.filter((key) => !known.includes(key))];
}

function isEmpty(value: Json): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function length(value: Json): number {
  return typeof value === "string" ? value.length : 0;
}
