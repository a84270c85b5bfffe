import type { ComponentChildren } from "preact";
import type { Loaded } from "../api/use";
import { Loading, ProblemNotice } from "../ui/notices";
import { Scrolls } from "../ui/scrolls";

type PartProps<Value> = {
  id: string;
  title: string;
  loaded: Loaded<Value>;
  above?: ComponentChildren;
  show: (value: Value) => ComponentChildren;
};

/** A titled part of the page that is loaded by itself. */
export function Part<Value>({ id, title, loaded, above, show }: PartProps<Value>) {
  const { value, problem, again } = loaded;
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {above}
      {problem && <ProblemNotice problem={problem} again={again} />}
      {value !== null ? show(value) : !problem && <Loading />}
    </section>
  );
}

type TableProps = { label: string; heads: readonly string[]; none: string; rows: ComponentChildren[] };

/** A table that scrolls sideways on narrow screens; a sentence where it has no rows. */
export function Table({ label, heads, none, rows }: TableProps) {
  if (rows.length === 0) return <p class="soft">{none}</p>;
  return (
    <Scrolls label={label}>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head}>{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>{rows}</tbody>
      </table>
    </Scrolls>
  );
}
