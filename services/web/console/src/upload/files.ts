// The endings of recordings whose type browsers do not know.
const ENDINGS =
  /\.(aac|aiff?|amr|caf|flac|m4a|m4b|mka|mkv|mov|mp3|mp4|mpe?g|oga|ogg|opus|ts|wav|weba|webm|wma|wmv)$/i;

/** Whether a file is likely to be a recording; what counts is what the mesh finds in it. */
export function isRecording(file: Pick<File, "name" | "type">): boolean {
  return /^(audio|video)\//.test(file.type) || ENDINGS.test(file.name);
}

/** The files of a drop or a paste, with those in folders. */
export async function filesIn(transfer: DataTransfer): Promise<File[]> {
  // What is in `items` is gone after the first await.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found: File[] = [];
  for (const entry of entries) {
    if (entry instanceof File) found.push(entry);
    else if (entry) found.push(...(await filesBelow(entry)));
  }
  return found;
}

async function filesBelow(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = entry as FileSystemFileEntry;
    return [await new Promise<File>((resolve, reject) => file.file(resolve, reject))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  // Browsers give a folder's entries in parts, and an empty one at the end.
  for (let part = await read(reader); part.length; part = await read(reader)) {
    for (const each of part) found.push(...(await filesBelow(each)));
  }
  return found;
}

function read(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}
