import { FEATURES, type Feature } from "../api/types";

/** The features once one is ticked or not; those that cannot be without each other go together. */
export function toggled(chosen: readonly Feature[], feature: Feature): Feature[] {
  const on = !chosen.includes(feature);
  const features = new Set(chosen);
  if (on) features.add(feature);
  else features.delete(feature);
  // The digest is the summary as speech.
  if (on && feature === "digest") features.add("summary");
  if (!features.has("summary")) features.delete("digest");
  return FEATURES.filter((each) => features.has(each));
}
