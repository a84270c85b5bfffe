import { useState } from "preact/hooks";
import { api, Problem, problemOf } from "../api/client";
import { go, place } from "../router";
import { useStore } from "../store";
import { ProblemNotice } from "../ui/notices";
import { goOn, isSending, uploads } from "../upload/queue";
import { words } from "../words";

const NOT_OFFERED = [404, 405];

export function LoginPage() {
  const text = useStore(words).login;
  const [problem, setProblem] = useState<Problem | null>(null);
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      await api.logIn(key.trim());
      enter(ownPath(place.value.query.get("back")));
    } catch (error) {
      const found = problemOf(error);
      setProblem(
        NOT_OFFERED.includes(found.status) ? new Problem(found.status, found.reason, text.missing) : found,
      );
      setBusy(false);
    }
  }

  const field = {
    id: "key",
    value: key,
    autocomplete: "current-password",
    spellcheck: false,
    required: true,
    onInput: (typed: { currentTarget: HTMLInputElement }) => setKey(typed.currentTarget.value),
  } as const;
  return (
    <form class="card login" onSubmit={submit}>
      <h1>{text.title}</h1>
      <p class="soft">{text.intro}</p>
      <label htmlFor="key">
        <span>{text.key}</span>
        {shown ? <input {...field} type="text" /> : <input {...field} type="password" />}
      </label>
      <label class="tick">
        <input type="checkbox" checked={shown} onChange={() => setShown(!shown)} />
        <span>{text.show}</span>
      </label>
      {problem && <ProblemNotice problem={problem} />}
      <button type="submit" class="primary" disabled={busy}>
        {text.submit}
      </button>
    </form>
  );
}

/** Opens a page as who has logged in. What a window sends would be lost if it were loaded again. */
function enter(path: string): void {
  if (isSending(uploads.value)) {
    goOn();
    go(path, "replace");
  } else {
    location.replace(path);
  }
}

/** A path of the console; an address of another site is none. */
export function ownPath(back: string | null): string {
  if (!back?.startsWith("/")) return "/";
  const url = new URL(back, location.origin);
  return url.origin === location.origin ? url.pathname + url.search : "/";
}
