import { expect, test } from "vitest";
import { begin, change, redo, undo } from "../src/recording/editing/history";

test("changes are undone and done again, one by one", () => {
  const last = change(change(begin(0), 1), 2);
  expect(undo(last).present).toBe(1);
  expect(undo(undo(undo(last))).present).toBe(0);
  expect(redo(undo(last)).present).toBe(2);
  expect(redo(last)).toBe(last);
});

test("changes of one kind are undone together", () => {
  const typed = change(change(change(begin(""), "a", "word"), "ab", "word"), "ab ", "");
  expect(undo(typed).present).toBe("ab");
  expect(undo(undo(typed)).present).toBe("");
});

test("a change after going back forgets what was ahead", () => {
  const other = change(undo(change(begin(0), 1)), 2);
  expect(other.future).toEqual([]);
  expect(undo(other).present).toBe(0);
});

test("no change is none", () => {
  const state = change(begin(0), 1);
  expect(change(state, 1)).toBe(state);
});
