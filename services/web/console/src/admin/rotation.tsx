import { useAct } from "../api/act";
import { useStore } from "../store";
import { Dialog } from "../ui/dialog";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { admin, type Key } from "./api";

const USUAL_HOURS = 24;
const MOST_HOURS = 720;

/** Gives a key another secret; the one before works on for a time that one chooses. */
export function RotationDialog({ of, close }: { of: Key; close: (rotated: string | null) => void }) {
  const text = useStore(words).admin;
  const { problem, act } = useAct();
  async function rotate(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    let rotated = "";
    const done = await act(async () => {
      rotated = await admin.rotateKey(of.key_id, Number(given.get("hours")));
    });
    if (done) close(rotated);
  }
  return (
    <Dialog title={text.rotateOf(of.key_id)} close={() => close(null)}>
      <p class="soft">{text.rotateHint}</p>
      <form onSubmit={(event) => void rotate(event)}>
        <label>
          <span>{text.overlap}</span>
          <input
            name="hours"
            type="number"
            step="any"
            min={0}
            max={MOST_HOURS}
            defaultValue={String(USUAL_HOURS)}
            required
          />
        </label>
        {problem && <ProblemNotice problem={problem} />}
        <div class="buttons">
          <button type="submit" class="primary">
            {text.rotate}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
