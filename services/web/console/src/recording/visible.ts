import { options } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Heights } from "./heights";

// Lines that are drawn beyond what can be seen, on either side.
const BEYOND_PX = 600;

/**
 * What of a long list is drawn: the lines that can be seen, at places that are estimated until they are measured. On
 * paper, all of them are.
 */
export function useVisible<Row extends { key: string }>(
  rows: readonly Row[],
  estimate: (row: Row) => number,
) {
  const box = useRef<HTMLDivElement>(null);
  // Lines stay where they are while one of them changes.
  const known = useRef(new Map<string, number>());
  const heights = useMemo(
    () => new Heights(rows.map((row) => known.current.get(row.key) ?? estimate(row))),
    [rows],
  );
  const [range, setRange] = useState({ from: 0, to: 30 });
  const onPaper = useRef(false);

  function draw(): void {
    if (!box.current || onPaper.current) return;
    const { scrollTop, clientHeight } = box.current;
    const from = heights.lineAt(scrollTop - BEYOND_PX);
    const to = heights.lineAt(scrollTop + clientHeight + BEYOND_PX) + 1;
    setRange((before) => (before.from === from && before.to === to ? before : { from, to }));
  }
  useLayoutEffect(draw, [heights]);
  useEffect(() => {
    // Lines break elsewhere in another width, so those that are drawn are measured again.
    const watched = new ResizeObserver(() => {
      draw();
      setRange((before) => ({ ...before }));
    });
    if (box.current) watched.observe(box.current);
    return () => watched.disconnect();
  }, [heights]);

  useEffect(() => {
    function printing(on: boolean): void {
      onPaper.current = on;
      atOnce(() => (on ? setRange({ from: 0, to: rows.length }) : draw()));
    }
    const before = () => printing(true);
    const after = () => printing(false);
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    return () => {
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
    };
  }, [rows]);

  function reveal(index: number): void {
    if (!box.current || index < 0) return;
    const room = box.current.clientHeight;
    box.current.scrollTop = heights.top(index) - Math.max(0, room - heights.height(index)) / 2.5;
    draw();
  }

  function measured(index: number, height: number): void {
    const key = rows[index]?.key;
    if (key) known.current.set(key, height);
    const difference = heights.measure(index, height);
    // What is above must not push away what is read.
    if (difference && box.current && heights.top(index) < box.current.scrollTop) {
      box.current.scrollTop += difference;
    }
    if (difference) setRange((before) => ({ ...before }));
  }

  return { box, heights, range, draw, reveal, measured };
}

/** Draws what a change leads to before it returns, as `beforeprint` needs it: the page is printed right after. */
function atOnce(change: () => void): void {
  const { debounceRendering } = options;
  options.debounceRendering = (draw) => draw();
  change();
  if (debounceRendering) options.debounceRendering = debounceRendering;
  else delete options.debounceRendering;
}
