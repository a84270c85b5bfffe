import type { SavedTemplate } from "../api/types";
import { moment } from "../format";
import { Link } from "../router";
import { useStore } from "../store";
import { language, words } from "../words";

type VersionsProps = {
  id: string;
  versions: readonly SavedTemplate[];
  /** The older version that is shown; null for the newest. */
  shown: number | null;
};

/** Who saved a template and when. */
export function Versions({ id, versions, shown }: VersionsProps) {
  const text = useStore(words).templates;
  const spoken = useStore(language);
  const newest = versions[0]?.version;
  return (
    <section class="card" aria-labelledby="versions-title">
      <h2 id="versions-title">{text.versions}</h2>
      <ol class="revisions">
        {versions.map(({ version, author, save_time }) => (
          <li key={version} aria-current={version === (shown ?? newest) || undefined}>
            <div>
              <strong>{text.version(version)}</strong>
              <span class="soft">{[author, moment(save_time, spoken)].join(" · ")}</span>
            </div>
            {version !== (shown ?? newest) && (
              <Link class="button" to={`/templates/${id}${version === newest ? "" : `?version=${version}`}`}>
                {text.view(version)}
              </Link>
            )}
          </li>
        ))}
      </ol>
      <p class="soft">{text.versionsHint}</p>
    </section>
  );
}
