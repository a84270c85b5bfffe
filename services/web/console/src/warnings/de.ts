import type { Catalogue } from "./text";
import type { Values } from "./values";

export const de: Catalogue = {
  more: (count, sentence) => `Es folgen ${count} weitere Hinweise dieser Art: ${sentence}`,
  reasons: {
    AUDIO_SLOW: (values) => {
      const behind = values.whole("behind_seconds");
      const what = behind
        ? `Der Ton ist ${behind} s hinter der Uhr`
        : "Der Ton kommt langsamer, als gesprochen wird";
      return `${what}, deshalb sind seine Zeiten zu früh; bitte Stille senden, wo nichts aufgenommen wird.`;
    },
    CHANNELS_CANCEL: (values) =>
      `Beim Mischen löschen sich die Kanäle${where(values)} gegenseitig aus, deshalb wurde nur einer von ihnen verwendet.`,
    CLIPPING: (values) => {
      const share = values.percent("ratio");
      const much = share ? `: ${share} der Abtastwerte haben den höchsten Wert` : "";
      return `Der Ton ist übersteuert${much}; bitte leiser aufnehmen.`;
    },
    DAMAGED: (values) =>
      gaps(values) ??
      `Die Datei ist${where(values)} beschädigt; die beschädigten Teile sind durch Stille ersetzt.`,
    DIGEST_INCOMPLETE: (values) => {
      const count = values.amount("sentences");
      if (count === undefined)
        return "In der Zusammenfassung steht nichts, was die Stimme sprechen kann, deshalb gibt es keinen Ton.";
      return count === 1
        ? "Ein Satz der Zusammenfassung wurde nicht oder nicht ganz gesprochen."
        : `${values.whole("sentences")} Sätze der Zusammenfassung wurden nicht oder nicht ganz gesprochen.`;
    },
    GAP: (values) => {
      const missing = values.oneDigit("missing_seconds");
      if (missing && !values.text("gaps"))
        return `In der Aufnahme fehlen${where(values)} ${missing} s; sie sind durch Stille ersetzt.`;
      return (
        gaps(values) ?? `Die Aufnahme hat${where(values)} keinen Ton; die Lücke ist durch Stille ersetzt.`
      );
    },
    JOB_CANCELLED: () =>
      "Der Auftrag wurde abgebrochen, bevor die Zusammenfassung da war; ein neuer Versuch erstellt sie.",
    LANGUAGE_NOT_SUMMARIZED: (values) => {
      const languages = values.languages("languages");
      const which = languages ? `${languages}` : "diese Sprache";
      return `Die Engine der Zusammenfassung kann ${which} nicht: Dafür gibt sie nur zentrale Sätze und Fragen; mehr macht ein Sprachmodell.`;
    },
    NO_SPEECH: () => "In der Aufnahme wurde keine Sprache gefunden, deshalb gibt es keinen Text.",
    OTHER_TRACKS: (values) => {
      const [tracks, read] = [values.whole("tracks"), values.list("read")];
      const known =
        tracks && read
          ? `Die Aufnahme hat ${tracks} Tonspuren, und gelesen wurde Spur ${read}`
          : "Die Aufnahme hat Tonspuren, die nicht gelesen wurden";
      const codecs = values.list("codecs");
      if (codecs) return `${known}; das Format der anderen kann nicht gelesen werden: Codec ${codecs}.`;
      const others = values.list("others", "disjunction");
      return `${known}; ${others ? `Spur ${others}` : "andere"} oder alle Spuren lassen sich eigens anfordern.`;
    },
    PARTIALS_THINNED: (values) => {
      const factor = values.whole("factor");
      const much = factor ? `etwa ${factor}-mal ` : "";
      return `Zwischenstände kommen ${much}seltener als verlangt, da die ASR-Worker ausgelastet sind.`;
    },
    POOR_SOUND: (values) => {
      const causes = poorSound(values);
      return `Im Text sind mehr Fehler zu erwarten${causes.length ? `: ${causes.join("; ")}` : ", denn der Klang ist schlecht"}.`;
    },
    QUALITY_MISSING: () => "Der Klang wurde nicht gemessen.",
    REFINEMENTS_LATE: () =>
      "Das Glätten hält nicht Schritt; Verbesserungen des Textes kommen spät oder gar nicht.",
    SPEAKERS_MISSING: (values) =>
      `Wer ${values.where ? "hier" : "einen Teil des Textes"} spricht, ist nicht bekannt, da kein Diarisierungs-Worker die Personen rechtzeitig unterschieden hat.`,
    TEXT_DIFFERS: (values) => {
      const [correct, words] = [values.whole("correct"), values.whole("words")];
      const much =
        correct && words
          ? `${correct} von ${words} Wörtern wurden so gelesen`
          : "Weniger als die Hälfte der Wörter wurde so gelesen";
      return `${much}, wie sie im Text stehen; gehört der Text zu dieser Aufnahme?`;
    },
    TEXT_REMOVED: (values) => `Hier wurde Text ausgelassen, ${why(values.text("cause"))}.`,
    TRUNCATED: (values) => {
      const { where } = values;
      const end = where && ("at" in where ? where.at : where.from);
      const stated = values.clock("stated_seconds");
      if (stated && end) return `Die Datei gibt eine Länge von ${stated} an und endet bei ${end}.`;
      return `Die Datei endet${end ? ` bei ${end}` : ""}, bevor sie vollständig ist.`;
    },
    UNREAD_SPEECH: () => "Hier spricht jemand, und daraus ließ sich kein Text machen; bitte selbst anhören.",
  },
};

/** " from 0:05 to 0:09"; empty for a whole recording. */
function where({ where }: Values): string {
  if (!where) return "";
  return "at" in where ? ` bei ${where.at}` : ` von ${where.from} bis ${where.to}`;
}

/** Several gaps in one sentence. */
function gaps(values: Values): string | undefined {
  const [count, missing] = [values.whole("gaps"), values.oneDigit("missing_seconds")];
  if (!count) return undefined;
  const long = missing ? `, zusammen ${missing} s` : "";
  return `Die Aufnahme hat${where(values)} ${count} weitere Lücken${long}; sie sind durch Stille ersetzt.`;
}

function poorSound(values: Values): string[] {
  const noise = values.amount("snr_db");
  const reverberation = values.oneDigit("reverberation_seconds");
  const delay = values.amount("echo_delay_seconds");
  const level = values.amount("echo_level_db");
  const overall = values.oneDigit("overall");
  const causes = [];
  if (noise !== undefined) {
    const below = `nur ${Math.round(noise)} dB leiser als die Sprache`;
    causes.push(`Das Rauschen ist ${noise < 0 ? "lauter als die Sprache" : below}`);
  }
  if (reverberation)
    causes.push(`die Sprache hallt, wie sie es weit weg vom Mikrofon tut (${reverberation} s)`);
  if (delay !== undefined && level !== undefined)
    causes.push(
      `die Sprache hat nach ${Math.round(1000 * delay)} ms ein Echo, das nur ${Math.round(-level)} dB leiser ist`,
    );
  if (overall) causes.push(`Hörer gäben dem Klang die Note ${overall} von 5`);
  return causes;
}

function why(cause: string | undefined): string {
  switch (cause) {
    case "REPETITION":
      return "denn die Engine schrieb immer wieder dieselben Wörter";
    case "NON_SPEECH":
      return "denn hier scheint niemand zu sprechen";
    default:
      return "denn er wurde wahrscheinlich nie gesprochen";
  }
}
