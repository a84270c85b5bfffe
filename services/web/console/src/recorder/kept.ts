/** Recordings of this browser that were not sent yet; they outlive the page, in IndexedDB. */

export interface Kept {
  id: string;
  /** When it began, in milliseconds. */
  started: number;
  seconds: number;
  /** Of the sound, such as "audio/webm;codecs=opus". */
  type: string;
}

interface Part {
  recording: string;
  index: number;
  sound: Blob;
}

const RECORDINGS = "recordings";
const PARTS = "parts";

/** Keeps a recording with its next part. */
export async function keepPart(kept: Kept, index: number, sound: Blob): Promise<void> {
  await change((recordings, parts) => {
    recordings.put(kept);
    parts.put({ recording: kept.id, index, sound } satisfies Part);
  });
}

/** The recordings that are kept, the newest first. */
export async function allKept(): Promise<Kept[]> {
  const database = await opened();
  const found: Kept[] = await answer(database.transaction(RECORDINGS).objectStore(RECORDINGS).getAll());
  database.close();
  return found.sort((one, other) => other.started - one.started);
}

export async function soundOf(kept: Kept): Promise<Blob> {
  const database = await opened();
  const parts: Part[] = await answer(database.transaction(PARTS).objectStore(PARTS).getAll(partsOf(kept.id)));
  database.close();
  return new Blob(
    parts.map((part) => part.sound),
    { type: kept.type },
  );
}

export async function forget(id: string): Promise<void> {
  await change((recordings, parts) => {
    recordings.delete(id);
    parts.delete(partsOf(id));
  });
}

function partsOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id, 0], [id, Number.MAX_SAFE_INTEGER]);
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open("maie-recordings", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(RECORDINGS, { keyPath: "id" });
    request.result.createObjectStore(PARTS, { keyPath: ["recording", "index"] });
  };
  return answer(request);
}

async function change(act: (recordings: IDBObjectStore, parts: IDBObjectStore) => void): Promise<void> {
  const database = await opened();
  const transaction = database.transaction([RECORDINGS, PARTS], "readwrite");
  act(transaction.objectStore(RECORDINGS), transaction.objectStore(PARTS));
  try {
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

function answer<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
