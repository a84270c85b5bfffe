import { useState } from "preact/hooks";
import { useAct } from "../api/act";
import { useLoaded } from "../api/use";
import { moment } from "../format";
import { useStore } from "../store";
import { ProblemNotice } from "../ui/notices";
import { language, words } from "../words";
import { admin, type Key, SCOPES } from "./api";
import { RotationDialog } from "./rotation";
import { Part, Table } from "./table";

/** The API keys of all tenants: made, listed, revoked. */
export function Keys() {
  const text = useStore(words).admin;
  const loaded = useLoaded((signal) => admin.keys(signal), []);
  const [made, setMade] = useState("");
  const [rotated, setRotated] = useState<Key | null>(null);
  const { problem, act } = useAct(loaded.again);
  return (
    <Part
      id="keys-title"
      title={text.keys}
      loaded={loaded}
      above={
        <>
          <NewKey make={(wanted) => void act(async () => setMade(await admin.makeKey(wanted)))} />
          {made && (
            <label class="made-key">
              <span>{text.once}</span>
              <input readOnly value={made} onFocus={(event) => event.currentTarget.select()} />
            </label>
          )}
          {problem && <ProblemNotice problem={problem} />}
          {rotated && (
            <RotationDialog
              of={rotated}
              close={(secret) => {
                setRotated(null);
                if (secret !== null) {
                  setMade(secret);
                  loaded.again();
                }
              }}
            />
          )}
        </>
      }
      show={(keys) => (
        <Table
          label={text.keys}
          heads={[text.id, text.tenant, text.scopes, text.name, text.ends, text.act]}
          none={text.noKeys}
          rows={keys.map((key) => (
            <Row
              key={key.key_id}
              of={key}
              rotate={() => setRotated(key)}
              revoke={() => void act(() => admin.revokeKey(key.key_id))}
            />
          ))}
        />
      )}
    />
  );
}

function Row({ of, rotate, revoke }: { of: Key; rotate: () => void; revoke: () => void }) {
  const text = useStore(words).admin;
  const shown = useStore(language);
  const before =
    of.overlap_end_time && new Date(of.overlap_end_time) > new Date() ? of.overlap_end_time : null;
  const over = of.expire_time !== undefined && new Date(of.expire_time) <= new Date();
  return (
    <tr>
      <td>{of.key_id}</td>
      <td>{of.tenant}</td>
      <td>{of.scopes.join(" ").toLowerCase()}</td>
      <td>{of.display_name}</td>
      <td>
        {of.expire_time && moment(of.expire_time, shown)}
        {before && <p class="soft">{text.before(moment(before, shown))}</p>}
      </td>
      <td>
        {of.revoke_time ? (
          text.revoked
        ) : (
          <div class="buttons">
            {!over && (
              <button type="button" aria-label={text.rotateOf(of.key_id)} onClick={rotate}>
                {text.rotate}
              </button>
            )}
            <button type="button" class="danger" aria-label={text.revokeOf(of.key_id)} onClick={revoke}>
              {text.revoke}
            </button>
          </div>
        )}
      </td>
    </tr>
  );
}

type Wanted = Parameters<typeof admin.makeKey>[0];

function NewKey({ make }: { make: (wanted: Wanted) => void }) {
  const text = useStore(words).admin;
  function submitted(event: SubmitEvent): void {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const value = (name: string) => String(given.get(name) ?? "").trim();
    make({
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
