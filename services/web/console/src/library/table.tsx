import type { Moment } from "../api/types";
import { clock, moment as momentText, nameOf, startOf } from "../format";
import { Link } from "../router";
import { useStore } from "../store";
import { StateBadge } from "../ui/notices";
import { language, words } from "../words";
import type { Entry } from "./load";
import { distinct } from "./moments";
import { highlighted } from "./query";

type TableProps = {
  entries: readonly Entry[];
  typed: string;
  selected: ReadonlySet<string>;
  toggle: (ids: readonly string[], on: boolean) => void;
};

export function Table({ entries, typed, selected, toggle }: TableProps) {
  const text = useStore(words).library;
  const ids = entries.map((entry) => entry.job.job_id);
  return (
    <table class="jobs">
      <thead>
        <tr>
          <th class="tick">
            <input
              type="checkbox"
              aria-label={text.selectAll}
              checked={ids.every((id) => selected.has(id))}
              onChange={(event) => toggle(ids, event.currentTarget.checked)}
            />
          </th>
          <th>{text.columns.name}</th>
          <th>{text.columns.state}</th>
          <th>{text.columns.template}</th>
          <th>{text.columns.labels}</th>
          <th>{text.columns.created}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <Row
            key={entry.job.job_id}
            entry={entry}
            typed={typed}
            selected={selected.has(entry.job.job_id)}
            toggle={(on) => toggle([entry.job.job_id], on)}
          />
        ))}
      </tbody>
    </table>
  );
}

type RowProps = { entry: Entry; typed: string; selected: boolean; toggle: (on: boolean) => void };

function Row({ entry: { job, moments }, typed, selected, toggle }: RowProps) {
  const text = useStore(words).library;
  const shown = useStore(language);
  const name = nameOf(job);
  return (
    <tr data-job={job.job_id} class={selected ? "selected" : ""}>
      <td class="tick">
        <input
          type="checkbox"
          aria-label={text.select(name)}
          checked={selected}
          onChange={(event) => toggle(event.currentTarget.checked)}
        />
      </td>
      <td class="main">
        <Link class="name" to={`/recordings/${job.job_id}`}>
          {name}
        </Link>
        {moments.length > 0 && (
          <ul class="moments">
            {distinct(moments).map((each) => (
              <MomentLine key={each.segment_id + each.pointer} id={job.job_id} moment={each} typed={typed} />
            ))}
          </ul>
        )}
      </td>
      <td>
        <StateBadge state={job.state} />
      </td>
      <td class="soft">{job.config?.template_id}</td>
      <td>
        <Labels labels={job.labels} />
      </td>
      <td class="soft">
        <time dateTime={job.create_time}>{momentText(job.create_time, shown)}</time>
      </td>
    </tr>
  );
}

function MomentLine({ id, moment, typed }: { id: string; moment: Moment; typed: string }) {
  const text = useStore(words).library;
  const start = startOf(moment.range);
  const address = moment.range ? `/recordings/${id}?t=${start}` : `/recordings/${id}`;
  return (
    <li>
      <Link to={address}>
        <span class="time">{moment.range ? clock(start) : text.inSummary}</span>
        <span>
          {highlighted(moment.snippet, typed).map((piece, index) =>
            piece.found ? <mark key={index}>{piece.text}</mark> : piece.text,
          )}
        </span>
      </Link>
    </li>
  );
}

export function Labels({ labels }: { labels: Record<string, string> }) {
  return (
    <ul class="labels">
      {Object.entries(labels).map(([key, value]) => (
        <li key={key}>
          {key}={value}
        </li>
      ))}
    </ul>
  );
}
