import { Problem } from "../api/client";
import { words } from "../words";

/** Where sound comes from: a microphone, and what a tab or the system plays. */
export interface SoundChoice {
  microphone: boolean;
  /** The id of a device; empty for the browser's own choice. */
  device: string;
  tab: boolean;
}

export const FIRST_SOUND: SoundChoice = { microphone: true, device: "", tab: false };

export type SourceKind = "microphone" | "tab";

export interface Source {
  kind: SourceKind;
  stream: MediaStream;
}

/**
 * Opens the sources; the browser asks the person for them.
 *
 * @throws Problem where one cannot be had; the others are closed then.
 */
export async function openSources(choice: SoundChoice): Promise<Source[]> {
  const text = words.value.sound;
  // Browsers have neither on pages that come over a network without TLS.
  if (!navigator.mediaDevices) throw new Problem(0, "CONSOLE", text.insecure);
  const found: Source[] = [];
  try {
    // First, as browsers show a choice of tabs only right after a click.
    if (choice.tab) found.push({ kind: "tab", stream: await sharedSound() });
    if (choice.microphone) found.push({ kind: "microphone", stream: await microphone(choice.device) });
  } catch (error) {
    closeSources(found);
    throw error instanceof Problem ? error : new Problem(0, "CONSOLE", sentenceOf(error));
  }
  return found;
}

export function closeSources(sources: readonly Source[]): void {
  for (const { stream } of sources) for (const track of stream.getTracks()) track.stop();
}

/** The microphones there are; without names until the person has allowed one. */
export async function microphones(): Promise<MediaDeviceInfo[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((each) => each.kind === "audioinput" && each.deviceId);
}

function microphone(device: string): Promise<MediaStream> {
  const audio = device ? { deviceId: { exact: device } } : true;
  return navigator.mediaDevices.getUserMedia({ audio });
}

async function sharedSound(): Promise<MediaStream> {
  // Browsers share sound only together with a picture, which nobody needs here.
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true });
  for (const track of stream.getVideoTracks()) track.stop();
  if (stream.getAudioTracks().length === 0) throw new Problem(0, "CONSOLE", words.value.sound.nothingShared);
  return stream;
}

function sentenceOf(error: unknown): string {
  const text = words.value.sound;
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return text.refused;
  if (name === "NotFoundError" || name === "OverconstrainedError") return text.noMicrophone;
  if (name === "NotReadableError") return text.inUse;
  return text.notOpened;
}
