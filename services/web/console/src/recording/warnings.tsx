import type { Warning } from "../api/types";
import { clock, startOf } from "../format";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { warningText } from "../warnings/text";
import { language, words } from "../words";

type WarningsProps = { of: readonly Warning[]; withPlaces?: boolean };

/** What is to be known of a result; warnings of a place stand there in the transcript, where there is one. */
export function Warnings({ of, withPlaces = false }: WarningsProps) {
  const text = useStore(words).recording;
  const shown = useStore(language);
  const listed = of.filter((warning) => withPlaces || !warning.range);
  if (listed.length === 0) return null;
  return (
    <section class="notice" aria-label={text.warnings}>
      <Icon name="warning" />
      <ul>
        {listed.map((warning) => (
          <li key={JSON.stringify(warning)}>
            {warning.range && `${clock(startOf(warning.range))} · `}
            {warningText(warning, shown)}
          </li>
        ))}
      </ul>
    </section>
  );
}
