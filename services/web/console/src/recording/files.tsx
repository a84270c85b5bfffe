import { Icon } from "../ui/icon";

/** Links to files of a recording, by their extensions, which are beneath `place`. */
export function Files({ place, names }: { place: string; names: Readonly<Record<string, string>> }) {
  return (
    <div class="buttons files">
      {Object.entries(names).map(([extension, name]) => (
        <a key={extension} class="button" href={`${place}/${extension}`} download>
          <Icon name="download" />
          {name}
        </a>
      ))}
    </div>
  );
}
