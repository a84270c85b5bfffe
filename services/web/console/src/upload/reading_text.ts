/** As the server takes it, in characters. */
export const LONGEST_TEXT = 200_000;

/** Whether there are words in a text. */
export function hasWords(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

export function isTooLong(text: string): boolean {
  return text.length > LONGEST_TEXT && [...text].length > LONGEST_TEXT;
}
