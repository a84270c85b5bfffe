import { api, type Problem, problemOf } from "../../api/client";
import type { Segment } from "../../api/types";
import { Store } from "../../store";
import * as draft from "./draft";
import { begin, change, type History, redo, undo } from "./history";
import { keepUnsaved, keptUnsaved } from "./unsaved";

export interface EditorState {
  /** Whether lines can be edited. */
  on: boolean;
  /** The revision that is corrected, and its segments. */
  base: number;
  segments: readonly Segment[];
  history: History<readonly draft.DraftLine[]>;
  /** Outdated: somebody saved a newer revision than the one that was corrected here. */
  phase: "idle" | "saving" | "saved" | "outdated";
  problem: Problem | null;
  /** The line that is typed in, and where in its text. */
  focus: { key: string; at: number } | null;
  /** Whether the corrections are those of an earlier visit. */
  restored: boolean;
}

const NOTHING: EditorState = {
  on: false,
  base: 0,
  segments: [],
  history: begin<readonly draft.DraftLine[]>([]),
  phase: "idle",
  problem: null,
  focus: null,
  restored: false,
};

/** Corrects the transcript of one recording; what is not saved is kept in this browser. */
export class Editor {
  readonly state = new Store<EditorState>(NOTHING);
  private loaded: readonly Segment[] | null = null;

  constructor(private readonly id: string) {}

  /** Takes the newest revision as the base, with the corrections that were not saved. */
  load(base: number, segments: readonly Segment[]): void {
    if (segments === this.loaded) return;
    this.loaded = segments;
    const { state } = this;
    const unsaved = keptUnsaved(this.id);
    const outdated = unsaved !== null && unsaved.base !== base;
    const mine = unsaved !== null && !outdated;
    const lines = mine ? draft.corrected(segments, unsaved.edits) : draft.linesOf(segments);
    state.set({
      ...NOTHING,
      base,
      segments,
      on: state.value.on || unsaved !== null,
      history: begin<readonly draft.DraftLine[]>(lines),
      phase: outdated ? "outdated" : state.value.phase === "saving" ? "saved" : "idle",
      restored: mine,
    });
  }

  get lines(): readonly draft.DraftLine[] {
    return this.state.value.history.present;
  }

  get edits() {
    return draft.corrections(this.state.value.segments, this.lines);
  }

  get takesChanges(): boolean {
    const { on, phase } = this.state.value;
    return on && phase !== "saving" && phase !== "outdated";
  }

  turn(on: boolean): void {
    this.set({ on, focus: null });
  }

  focus(key: string, at: number): void {
    if (this.takesChanges) this.set({ focus: { key, at } });
  }

  leave(key: string): void {
    if (this.state.value.focus?.key === key) this.set({ focus: null });
  }

  /** Takes a line's text; letters of one word are undone together. */
  type(key: string, text: string): void {
    this.apply(draft.withText(this.lines, key, text), null, /\s$/.test(text) ? "" : `type ${key}`);
  }

  speak(key: string, speaker: string): void {
    this.apply(draft.withSpeaker(this.lines, key, speaker), null);
  }

  split(key: string, at: number): void {
    const known = new Set(this.lines.map((line) => line.key));
    const lines = draft.split(this.lines, key, at);
    const made = lines.find((line) => !known.has(line.key));
    if (made) this.apply(lines, { key: made.key, at: 0 });
  }

  /** Joins a line to the one before it, and goes on where they meet. */
  join(key: string): void {
    const first = draft.before(this.lines, key);
    if (first) {
      const at = first.text.length + (first.text ? 1 : 0);
      this.apply(draft.join(this.lines, key), { key: first.key, at });
    }
  }

  joinNext(key: string): void {
    const next = draft.after(this.lines, key);
    const line = this.lines.find((each) => each.key === key);
    if (next && line) this.apply(draft.join(this.lines, next.key), { key, at: line.text.length });
  }

  undo(): void {
    this.step(undo(this.state.value.history));
  }

  redo(): void {
    this.step(redo(this.state.value.history));
  }

  /** Saves; returns whether the recording is to be loaded again, with what was saved here or elsewhere. */
  async save(): Promise<boolean> {
    const { base } = this.state.value;
    const { edits } = this;
    if (!this.takesChanges || edits.length === 0) return false;
    this.set({ phase: "saving", problem: null });
    try {
      await api.saveRevision(this.id, base, edits);
    } catch (error) {
      const problem = problemOf(error);
      const outdated = problem.reason === "REVISION_OUTDATED";
      this.set({ phase: outdated ? "outdated" : "idle", problem: outdated ? null : problem });
      return outdated;
    }
    keepUnsaved(this.id, { base, edits: [] });
    return true;
  }

  /** Forgets what is not saved. */
  discard(): void {
    const { base, segments } = this.state.value;
    keepUnsaved(this.id, { base, edits: [] });
    this.set({
      history: begin<readonly draft.DraftLine[]>(draft.linesOf(segments)),
      phase: "idle",
      restored: false,
      focus: null,
    });
  }

  /** Puts the corrections on the revision that somebody else saved. */
  rebase(): void {
    const { segments } = this.state.value;
    const lines = draft.corrected(segments, keptUnsaved(this.id)?.edits ?? []);
    this.set({ phase: "idle" });
    this.step(change(begin<readonly draft.DraftLine[]>(draft.linesOf(segments)), lines));
  }

  private apply(lines: readonly draft.DraftLine[], focus: EditorState["focus"], kind = ""): void {
    if (!this.takesChanges) return;
    this.step(change(this.state.value.history, lines, kind), focus ?? this.state.value.focus);
  }

  private step(history: EditorState["history"], focus: EditorState["focus"] = null): void {
    if (!this.takesChanges) return;
    this.set({ history, focus, phase: "idle", problem: null });
    keepUnsaved(this.id, { base: this.state.value.base, edits: this.edits });
  }

  private set(changed: Partial<EditorState>): void {
    this.state.set({ ...this.state.value, ...changed });
  }
}
