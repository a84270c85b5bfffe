import { useState } from "preact/hooks";
import { type Problem, problemOf } from "../api/client";
import { useLoaded } from "../api/use";
import { moment } from "../format";
import { useStore } from "../store";
import { ProblemNotice } from "../ui/notices";
import { language, words } from "../words";
import { admin, type Key, SCOPES } from "./api";
import { Part, Table } from "./table";

/** The API keys of all tenants: made, listed, revoked. */
export function Keys() {
  const text = useStore(words).admin;
  const loaded = useLoaded((signal) => admin.keys(signal), []);
  const [made, setMade] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  async function attempt(act: () => Promise<unknown>): Promise<void> {
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(problemOf(error));
    }
    loaded.again();
  }
  return (
    <Part
      id="keys-title"
      title={text.keys}
      loaded={loaded}
      above={
        <>
          <NewKey make={(wanted) => attempt(async () => setMade(await admin.makeKey(wanted)))} />
          {made && (
            <label class="made-key">
              <span>{text.once}</span>
              <input readOnly value={made} onFocus={(event) => event.currentTarget.select()} />
            </label>
          )}
          {problem && <ProblemNotice problem={problem} />}
        </>
      }
      show={(keys) => (
        <Table
          label={text.keys}
          heads={[text.id, text.tenant, text.scopes, text.name, text.ends, text.act]}
          none={text.noKeys}
          rows={keys.map((key) => (
            <Row key={key.key_id} of={key} revoke={() => void attempt(() => admin.revokeKey(key.key_id))} />
          ))}
        />
      )}
    />
  );
}

function Row({ of, revoke }: { of: Key; revoke: () => void }) {
  const text = useStore(words).admin;
  const shown = useStore(language);
  return (
    <tr>
      <td>{of.key_id}</td>
      <td>{of.tenant}</td>
      <td>{of.scopes.join(" ").toLowerCase()}</td>
      <td>{of.display_name}</td>
      <td>{of.expire_time && moment(of.expire_time, shown)}</td>
      <td>
        {of.revoke_time ? (
          text.revoked
        ) : (
          <button type="button" class="danger" aria-label={text.revokeOf(of.key_id)} onClick={revoke}>
            {text.revoke}
          </button>
        )}
      </td>
    </tr>
  );
}

type Wanted = Parameters<typeof admin.makeKey>[0];

function NewKey({ make }: { make: (wanted: Wanted) => Promise<void> }) {
  const text = useStore(words).admin;
  function submitted(event: SubmitEvent): void {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const value = (name: string) => String(given.get(name) ?? "").trim();
    void make({
      scopes: SCOPES.filter((each) => given.has(each)),
      tenant: value("tenant"),
      display_name: value("name"),
      days: value("days") ? Number(value("days")) : null,
    });
  }
  return (
    <form class="admin-form" onSubmit={submitted}>
      <label>
        <span>{text.tenant}</span>
        <input name="tenant" placeholder="default" />
      </label>
      <label>
        <span>{text.name}</span>
        <input name="name" />
      </label>
      <label>
        <span>{text.days}</span>
        <input name="days" type="number" min={1} max={3653} />
      </label>
      <fieldset class="scopes">
        <legend>{text.scopes}</legend>
        {SCOPES.map((each) => (
          <label key={each} class="tick">
            <input type="checkbox" name={each} />
            <span>{each}</span>
          </label>
        ))}
      </fieldset>
      <button type="submit">{text.makeKey}</button>
    </form>
  );
}
