import { useState } from "preact/hooks";
import { type Problem, problemOf } from "../api/client";
import type { Job, StageProgress } from "../api/types";
import { bytes, isFinal, nameOf, percent } from "../format";
import { Link } from "../router";
import { useStore } from "../store";
import { ProblemNotice, StateBadge } from "../ui/notices";
import { language, words } from "../words";
import { unfollow } from "./followed";
import { dropInterrupted, type Interrupted } from "./interrupted";
import { again, drop, type Upload } from "./queue";

export function UploadRow({ upload }: { upload: Upload }) {
  const text = useStore(words).upload;
  const shown = useStore(language);
  return (
    <li class="row">
      <div class="row-head">
        <strong class="name">{upload.file.name}</strong>
        <span class="soft">{bytes(upload.file.size, shown)}</span>
        <span class="spring" />
        {upload.state === "failed" && (
          <button type="button" onClick={() => again(upload.id)}>
            {text.retry}
          </button>
        )}
        <button type="button" class="quiet" onClick={() => drop(upload.id)}>
          {upload.state === "failed" ? text.dismiss : text.stop}
        </button>
      </div>
      {upload.state === "failed" && upload.problem ? (
        <ProblemNotice problem={upload.problem} />
      ) : (
        <>
          <progress value={upload.fraction} aria-label={text.progressOf(upload.file.name)} />
          <Progress upload={upload} />
        </>
      )}
    </li>
  );
}

/** How far an upload is; what a paused one waits for. */
function Progress({ upload }: { upload: Upload }) {
  const text = useStore(words).upload;
  const share = percent(upload.fraction, useStore(language));
  const { state, problem, anew } = upload;
  if (state === "paused" && problem) {
    return (
      <p class="hint warn" role="status">
        {problem.status === 0 ? text.unreachable : problem.message} {text.paused(share)}{" "}
        {problem.status === 401 && (
          <a href="/login" target="_blank" rel="noopener">
            {text.logIn}
          </a>
        )}
      </p>
    );
  }
  return (
    <p class="soft">
      {state === "waiting" ? text.waiting : text.sending(share)} {anew && text.anew}
    </p>
  );
}

/** An upload whose page was closed. */
export function InterruptedRow({ upload }: { upload: Interrupted }) {
  const text = useStore(words).upload;
  const shown = useStore(language);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { name, size, fraction } = upload;
  return (
    <li class="row">
      <div class="row-head">
        <strong class="name">{name}</strong>
        <span class="soft">{bytes(size, shown)}</span>
        <span class="spring" />
        <button
          type="button"
          class="quiet"
          onClick={() => dropInterrupted(upload).catch((error) => setProblem(problemOf(error)))}
        >
          {text.dismiss}
        </button>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {fraction !== null && <progress value={fraction} aria-label={text.progressOf(name)} />}
      <p class="soft">{fraction === null ? text.expired : text.interrupted(percent(fraction, shown))}</p>
    </li>
  );
}

/** A job; undefined until it is known. */
export function JobRow({ id, job }: { id: string; job: Job | undefined }) {
  const text = useStore(words).upload;
  if (!job) {
    return (
      <li class="row">
        <progress />
      </li>
    );
  }
  const name = nameOf(job);
  return (
    <li class="row">
      <div class="row-head">
        <Link to={`/recordings/${id}`} class="name">
          {name}
        </Link>
        <StateBadge state={job.state} />
        <span class="spring" />
        {isFinal(job.state) && (
          <button type="button" class="quiet" onClick={() => unfollow(id)}>
            {text.dismiss}
          </button>
        )}
      </div>
      {!isFinal(job.state) && <Stages progress={job.progress} name={name} />}
      {job.failures.map((failure) => (
        <p class="hint bad" key={failure.unit + failure.reason}>
          {failure.message}
        </p>
      ))}
    </li>
  );
}

export function Stages({ progress, name }: { progress: StageProgress[]; name: string }) {
  const text = useStore(words);
  const shown = useStore(language);
  return (
    <ol class="stages" aria-label={text.upload.progressOf(name)}>
      {progress.map((each) => (
        <li key={each.stage} class={each.fraction >= 1 ? "done" : ""}>
          <span>{text.stages[each.stage] ?? each.stage}</span>
          <span class="soft">{percent(each.fraction, shown)}</span>
          <progress value={each.fraction} aria-label={text.stages[each.stage] ?? each.stage} />
        </li>
      ))}
    </ol>
  );
}
