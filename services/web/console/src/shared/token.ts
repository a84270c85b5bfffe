const TOKEN = /^maieshare_[0-9a-f]{32}_([0-9a-f]{12})_[\w-]{43}$/;

/** The token in the fragment of a link; what is none, the gateway refuses as it does unknown ones. */
export function tokenIn(fragment: string): string {
  return fragment.replace(/^#/, "");
}

/** The id of the share that a token is of; empty for what is none. */
export function shareOf(token: string): string {
  return TOKEN.exec(token)?.[1] ?? "";
}

/** The link that has a token; browsers send a fragment to nobody. */
export function linkWith(token: string): string {
  return `${location.origin}/s/#${token}`;
}
