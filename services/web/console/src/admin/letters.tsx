import { useAct } from "../api/act";
import { useLoaded } from "../api/use";
import { moment } from "../format";
import { Link } from "../router";
import { useStore } from "../store";
import { ProblemNotice } from "../ui/notices";
import { language, words } from "../words";
import { admin } from "./api";
import { Part, Table } from "./table";

/** Units of the tenant's jobs that were given up, to be tried again. */
export function Letters() {
  const text = useStore(words).admin;
  const shown = useStore(language);
  const loaded = useLoaded((signal) => admin.letters(signal), []);
  const { problem, act } = useAct(loaded.again);
  return (
    <Part
      id="letters-title"
      title={text.letters}
      loaded={loaded}
      above={problem && <ProblemNotice problem={problem} />}
      show={(letters) => (
        <Table
          label={text.letters}
          heads={[text.time, text.unit, text.why, text.job, text.act]}
          none={text.noLetters}
          rows={letters.map((each) => (
            <tr key={each.letter_id}>
              <td>{moment(each.dead_time, shown)}</td>
              <td>{each.unit}</td>
              <td>{each.failure?.message}</td>
              <td>
                <Link to={`/recordings/${each.job_id}`}>{text.open}</Link>
              </td>
              <td>
                <button type="button" onClick={() => void act(() => admin.replay(each.letter_id))}>
                  {text.replay}
                </button>
              </td>
            </tr>
          ))}
        />
      )}
    />
  );
}
