import type { Warning } from "../api/types";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { words } from "../words";

/** What is to be known of a whole result; warnings of a place stand there in the transcript. */
export function Warnings({ of }: { of: readonly Warning[] }) {
  const text = useStore(words).recording;
  const whole = of.filter((warning) => !warning.range);
  if (whole.length === 0) return null;
  return (
    <section class="notice" aria-label={text.warnings}>
      <Icon name="warning" />
      <ul>
        {whole.map((warning) => (
          <li key={warning.reason}>{warning.message}</li>
        ))}
      </ul>
    </section>
  );
}
