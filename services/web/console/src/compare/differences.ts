import { paired } from "../recording/words";
import type { RunWord } from "./run_words";
import { windowsOf } from "./windows";

/** Of windows with more pairs of words, such as of lines that all have the same time, all counts as changed. */
const MOST_CELLS = 1_000_000;
/** So many words are a line at most. */
const MOST_WORDS = 40;

/** What is the same in both runs, or in the place of each other; one side is empty for what only the other has. */
export interface Piece {
  same: boolean;
  left: RunWord[];
  right: RunWord[];
}

/** A line of both runs. */
export interface ComparedRow {
  key: string;
  start: number;
  differs: boolean;
  pieces: Piece[];
}

/** The lines of two transcripts beside each other, in the order of the recording. */
export function compared(left: readonly RunWord[], right: readonly RunWord[]): ComparedRow[] {
  const pieces = windowsOf(left, right).flatMap(([mine, theirs]) => piecesOf(mine, theirs));
  return rowsOf(pieces.flatMap(lines));
}

/** What two texts have in common, and what stands in the place of each other between that. */
export function piecesOf(left: readonly RunWord[], right: readonly RunWord[]): Piece[] {
  if (left.length * right.length > MOST_CELLS) return [{ same: false, left: [...left], right: [...right] }];
  const keys = (words: readonly RunWord[]) => words.map((word) => word.key);
  const pairs = paired(keys(left), keys(right));
  const pieces: Piece[] = [];
  let at = 0;
  for (const [index, word] of left.entries()) {
    const pair = pairs[index] ?? -1;
    if (pair < 0) {
      add(pieces, false, [word], []);
      continue;
    }
    add(pieces, false, [], right.slice(at, pair));
    add(pieces, true, [word], right.slice(pair, pair + 1));
    at = pair + 1;
  }
  add(pieces, false, [], right.slice(at));
  return pieces;
}

function add(pieces: Piece[], same: boolean, left: RunWord[], right: RunWord[]): void {
  if (left.length + right.length === 0) return;
  const last = pieces.at(-1);
  if (last?.same === same) {
    last.left.push(...left);
    last.right.push(...right);
  } else pieces.push({ same, left, right });
}

/** A piece in parts, each of which is within a line. */
function lines({ same, left, right }: Piece): Piece[] {
  if (!same) return chunks(left, right);
  const parts: Piece[] = [];
  for (const [index, word] of left.entries()) {
    const other = right[index];
    if (!other) continue;
    const last = parts.at(-1);
    if (!last || word.first || other.first) parts.push({ same, left: [word], right: [other] });
    else {
      last.left.push(word);
      last.right.push(other);
    }
  }
  return parts;
}

function chunks(left: readonly RunWord[], right: readonly RunWord[]): Piece[] {
  const count = Math.max(1, Math.ceil(Math.max(left.length, right.length) / MOST_WORDS));
  return Array.from({ length: count }, (_, index) => {
    const part = (words: readonly RunWord[]) => words.slice(index * MOST_WORDS, (index + 1) * MOST_WORDS);
    return { same: false, left: part(left), right: part(right) };
  });
}

function rowsOf(pieces: readonly Piece[]): ComparedRow[] {
  const rows: ComparedRow[] = [];
  let size = 0;
  for (const piece of pieces) {
    const words = Math.max(piece.left.length, piece.right.length);
    const last = rows.at(-1);
    if (!last || begins(piece) || size + words > MOST_WORDS) {
      rows.push({ key: String(rows.length), start: startOf(piece), differs: !piece.same, pieces: [piece] });
      size = words;
    } else {
      last.pieces.push(piece);
      last.differs ||= !piece.same;
      size += words;
    }
  }
  return rows;
}

function begins({ left, right }: Piece): boolean {
  return (left[0]?.first ?? false) || (right[0]?.first ?? false);
}

function startOf({ left, right }: Piece): number {
  return Math.min(left[0]?.start ?? Number.POSITIVE_INFINITY, right[0]?.start ?? Number.POSITIVE_INFINITY);
}
