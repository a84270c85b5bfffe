import type { ComponentChildren } from "preact";
import { duration } from "../recording/details";
import { useStore } from "../store";
import { Scrolls } from "../ui/scrolls";
import { language, words } from "../words";
import { differingSettings, type FigureKind, figuresOf, stageTimes } from "./figures";
import type { Runs } from "./page";

/** The versions and options in which the runs differ. */
export function Settings({ runs }: { runs: Runs }) {
  const text = useStore(words).compare;
  const pairs = differingSettings(runs.left, runs.right);
  return (
    <Card id="settings-title" title={text.settings}>
      {pairs.length > 0 ? (
        <Table id="settings-title">
          {pairs.map(({ name, left, right }) => (
            <Row key={name} name={name} values={[left || text.unset, right || text.unset]} />
          ))}
        </Table>
      ) : (
        <p class="soft">{text.sameSettings}</p>
      )}
    </Card>
  );
}

export function Figures({ runs }: { runs: Runs }) {
  const text = useStore(words).compare;
  const shown = useStore(language);
  return (
    <Card id="figures-title" title={text.figures}>
      <Table id="figures-title" change>
        {figuresOf(runs.left, runs.right).map(({ name, kind, left, right }) => (
          <Row
            key={name}
            name={text.figure[name]}
            values={[written(left, kind, shown), written(right, kind, shown)]}
            change={change(left, right, kind, shown)}
          />
        ))}
      </Table>
    </Card>
  );
}

/** How long each stage of the runs worked. */
export function Times({ runs }: { runs: Runs }) {
  const text = useStore(words);
  const shown = useStore(language);
  const times = stageTimes(runs.left, runs.right);
  if (times.length === 0) return null;
  return (
    <Card id="times-title" title={text.compare.times}>
      <Table id="times-title" change>
        {times.map(({ stage, left, right }) => (
          <Row
            key={stage}
            name={text.stages[stage] ?? stage}
            values={[written(left, "seconds", shown), written(right, "seconds", shown)]}
            change={change(left, right, "seconds", shown)}
          />
        ))}
      </Table>
    </Card>
  );
}

function written(value: number | null, kind: FigureKind, shown: string): string {
  if (value === null) return "–";
  if (kind === "share") return new Intl.NumberFormat(shown, SHARE).format(value);
  if (kind === "seconds") return duration(value, shown);
  const number = new Intl.NumberFormat(shown, { maximumFractionDigits: 2 }).format(value);
  return `${number}${UNITS[kind] ?? ""}`;
}

const SHARE = { style: "percent", maximumFractionDigits: 1 } as const;
const UNITS: Partial<Record<FigureKind, string>> = { decibels: " LUFS", hertz: " Hz" };

/** By how much the right one is more than the left one, with its sign. */
function change(left: number | null, right: number | null, kind: FigureKind, shown: string): string {
  if (left === null || right === null) return "";
  const difference = right - left;
  if (written(Math.abs(difference), kind, shown) === written(0, kind, shown)) return "=";
  return `${difference > 0 ? "+" : "−"}${written(Math.abs(difference), kind, shown)}`;
}

function Card({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

function Table({ id, change, children }: { id: string; change?: boolean; children: ComponentChildren }) {
  const text = useStore(words).compare;
  return (
    <Scrolls by={id}>
      <table class="pairs">
        <thead>
          <tr>
            <th>
              <span class="unseen">{text.what}</span>
            </th>
            <th>{text.sides.left}</th>
            <th>{text.sides.right}</th>
            {change && <th>{text.change}</th>}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Scrolls>
  );
}

type RowProps = { name: string; values: readonly [string, string]; change?: string };

function Row({ name, values: [left, right], change }: RowProps) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{left}</td>
      <td>{right}</td>
      {change !== undefined && <td class="change">{change}</td>}
    </tr>
  );
}
