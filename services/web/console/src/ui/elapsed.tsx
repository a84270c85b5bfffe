import { useEffect, useState } from "preact/hooks";
import { clock } from "../format";

/** The time since a moment, in milliseconds, as a clock that goes on. */
export function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span class="time">{clock((now - since) / 1000)}</span>;
}
