import { useEffect, useRef, useState } from "preact/hooks";
import { useAct } from "../api/act";
import { api } from "../api/client";
import type { Share } from "../api/types";
import { useLoaded } from "../api/use";
import { moment } from "../format";
import { linkWith } from "../shared/token";
import { useStore } from "../store";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { ProblemNotice } from "../ui/notices";
import { language, words } from "../words";

const DAYS = [1, 7, 30, 90];
const USUAL_DAYS = 7;

/** Opens the dialog in which a recording's links are made, listed and revoked. */
export function ShareButton({ id }: { id: string }) {
  const text = useStore(words).share;
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="share" onClick={() => setOpen(true)}>
        <Icon name="share" />
        {text.share}
      </button>
      {open && <ShareDialog id={id} close={() => setOpen(false)} />}
    </>
  );
}

function ShareDialog({ id, close }: { id: string; close: () => void }) {
  const text = useStore(words).share;
  const shares = useLoaded((signal) => api.shares(id, signal), [id]);
  const [link, setLink] = useState("");
  return (
    <Dialog title={text.title} close={close}>
      <p class="soft">{text.hint}</p>
      <MakeLink
        id={id}
        made={(token) => {
          setLink(linkWith(token));
          shares.again();
        }}
      />
      {link && <NewLink link={link} />}
      {shares.problem && <ProblemNotice problem={shares.problem} again={shares.again} />}
      {shares.value && <Links id={id} shares={shares.value} reload={shares.again} />}
    </Dialog>
  );
}

function MakeLink({ id, made }: { id: string; made: (token: string) => void }) {
  const text = useStore(words).share;
  const [days, setDays] = useState(USUAL_DAYS);
  const [audio, setAudio] = useState(false);
  const { problem, busy, act } = useAct();
  function make(event: Event): void {
    event.preventDefault();
    void act(async () => made(await api.share(id, days, audio)));
  }
  return (
    <form class="make" onSubmit={make}>
      <label>
        <span>{text.works}</span>
        <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
          {DAYS.map((each) => (
            <option key={each} value={each}>
              {text.days(each)}
            </option>
          ))}
        </select>
      </label>
      <label class="tick">
        <input type="checkbox" checked={audio} onChange={(event) => setAudio(event.currentTarget.checked)} />
        <span>{text.audio}</span>
      </label>
      <button type="submit" class="primary" disabled={busy}>
        {text.make}
      </button>
      {problem && <ProblemNotice problem={problem} />}
    </form>
  );
}

function NewLink({ link }: { link: string }) {
  const text = useStore(words).share;
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    setCopied(false);
    field.current?.focus();
    field.current?.select();
  }, [link]);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
    } catch {
      // Without TLS or the right to the clipboard, people copy what is selected.
      field.current?.select();
    }
  }
  return (
    <div class="new-link">
      <label>
        <span>{text.link}</span>
        <input ref={field} readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <button type="button" onClick={() => void copy()}>
        <Icon name={copied ? "check" : "copy"} />
        {copied ? text.copied : text.copy}
      </button>
      <p class="soft" role="status">
        {text.once}
      </p>
    </div>
  );
}

function Links({ id, shares, reload }: { id: string; shares: readonly Share[]; reload: () => void }) {
  const text = useStore(words).share;
  const { problem, act } = useAct(reload);
  return (
    <section class="links" aria-labelledby="links-title">
      <h3 id="links-title">{text.links}</h3>
      {problem && <ProblemNotice problem={problem} />}
      {shares.length === 0 && <p class="soft">{text.none}</p>}
      <ul>
        {shares.map((share) => (
          <OneLink
            key={share.share_id}
            share={share}
            revoke={() => void act(() => api.revokeShare(id, share.share_id))}
          />
        ))}
      </ul>
    </section>
  );
}

function OneLink({ share, revoke }: { share: Share; revoke: () => void }) {
  const text = useStore(words).share;
  const shown = useStore(language);
  return (
    <li>
      <div>
        <p>
          <strong>{text.until(moment(share.expire_time, shown))}</strong>{" "}
          {share.audio && <span class="badge">{text.withAudio}</span>}
        </p>
        <p class="soft">{text.made(share.created_by, moment(share.create_time, shown))}</p>
      </div>
      <button type="button" class="danger" aria-label={text.revokeOf(share.share_id)} onClick={revoke}>
        {text.revoke}
      </button>
    </li>
  );
}
