import { useStore } from "../store";
import { words } from "../words";

type FieldProps = { value: string; choose: (text: string) => void };

/** The text that should have been read, typed, pasted or from a file. */
export function ReadingField({ value, choose }: FieldProps) {
  const text = useStore(words).upload;
  async function read(file: File | undefined): Promise<void> {
    if (file) choose(await file.text());
  }
  return (
    <div class="reading-text">
      <label>
        <span>{text.readingText}</span>
        <textarea rows={6} value={value} onInput={(event) => choose(event.currentTarget.value)} />
      </label>
      <label class="button">
        {text.readingFile}
        <input
          class="unseen"
          type="file"
          accept=".txt,text/plain"
          onChange={(event) => {
            void read(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </label>
    </div>
  );
}
