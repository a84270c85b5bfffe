import { useState } from "preact/hooks";
import { useLoaded } from "../api/use";
import { moment } from "../format";
import { useStore } from "../store";
import { language, words } from "../words";
import { admin } from "./api";
import { Part, Table } from "./table";

const DAY_MS = 24 * 3600 * 1000;
const MOST = 1000;

/** Who did what in the last day, the newest first. */
export function Audit() {
  const text = useStore(words).admin;
  const shown = useStore(language);
  const [wanted, setWanted] = useState({ caller_id: "", action: "", tenant: "" });
  const loaded = useLoaded(
    (signal) => {
      const start_time = new Date(Date.now() - DAY_MS).toISOString();
      return admin.audit(new URLSearchParams({ ...wanted, start_time, page_size: String(MOST) }), signal);
    },
    [wanted],
  );
  function filter(event: SubmitEvent): void {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const value = (name: string) => String(given.get(name) ?? "").trim();
    setWanted({ caller_id: value("caller_id"), action: value("action"), tenant: value("tenant") });
  }
  return (
    <Part
      id="audit-title"
      title={text.audit}
      loaded={loaded}
      above={
        <form class="admin-form" onSubmit={filter}>
          <label>
            <span>{text.tenant}</span>
            <input name="tenant" />
          </label>
          <label>
            <span>{text.caller}</span>
            <input name="caller_id" placeholder="key:32b11fb96b5e" />
          </label>
          <label>
            <span>{text.action}</span>
            <input name="action" placeholder="DeleteJob" />
          </label>
          <button type="submit">{text.filter}</button>
        </form>
      }
      show={({ entries, more }) => (
        <>
          {more && <p class="notice">{text.more(entries.length)}</p>}
          <Table
            label={text.audit}
            heads={[text.time, text.caller, text.tenant, text.action, text.outcome]}
            none={text.noEntries}
            rows={[...entries].reverse().map((each) => (
              <tr key={each.entry_id}>
                <td>{moment(each.entry_time, shown)}</td>
                <td>{each.caller_id}</td>
                <td>{each.tenant}</td>
                <td>{each.action.split("/").at(-1)}</td>
                <td>{each.reason || each.status}</td>
              </tr>
            ))}
          />
        </>
      )}
    />
  );
}
