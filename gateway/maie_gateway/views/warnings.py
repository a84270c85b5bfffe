"""The warnings about a job's results, from the outputs of its units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from maie.common.v1 import types_pb2 as common
from maie_core.reasons import WarningReason
from maie_core.result_warnings import result_warning

# The most warnings of one reason. A recording of 16 hours over a bad line would otherwise hide
# the others among thousands.
MAX_PER_REASON = 20
# Ranges this close, in nanoseconds, are one: no word is shorter.
NEIGHBOUR = 50_000_000

_NOBODY = "Who speaks here is not known, as no diarization worker told the speakers apart in time."
_UNREAD = "Somebody speaks here, and no text could be made of it; listen to it."
_REMOVED = {
    common.SUSPECT_REASON_REPETITION: "Text was left out here, because the engine wrote the same "
    "words again and again.",
    common.SUSPECT_REASON_NON_SPEECH: "Text was left out here, because nobody seems to speak.",
}
_REMOVED_OTHERWISE = "Text was left out here, because it was probably never spoken."


def transcript_warnings(transcripts: Iterable[common.Transcript]) -> list[common.Warning]:
    """Warnings of the text, in recording order: speech without text or speaker, text left out."""
    found: list[common.Warning] = []
    for transcript in transcripts:
        found += (
            result_warning(WarningReason.UNREAD_SPEECH, _UNREAD, span) for span in transcript.unread
        )
        found += (
            result_warning(
                WarningReason.TEXT_REMOVED,
                _REMOVED.get(suspect.reason, _REMOVED_OTHERWISE),
                suspect.range,
                metadata=_cause(suspect),
            )
            for suspect in transcript.suspect_texts
            if suspect.removed
        )
        found += (
            result_warning(WarningReason.SPEAKERS_MISSING, _NOBODY, span)
            for span in transcript.without_speaker
        )
    return bounded(sorted(found, key=lambda warning: warning.range.start_offset.ToNanoseconds()))


def _cause(suspect: common.SuspectText) -> dict[str, str]:
    if suspect.reason not in _REMOVED:
        return {}
    return {"cause": common.SuspectReason.Name(suspect.reason).removeprefix("SUSPECT_REASON_")}


def unread_ranges(transcripts: Iterable[common.Transcript]) -> list[common.TimeRange]:
    """Where somebody speaks and no text could be made of it, in recording order."""
    found = [span for transcript in transcripts for span in transcript.unread]
    return sorted(found, key=lambda span: span.start_offset.ToNanoseconds())


def suspect_texts(transcripts: Iterable[common.Transcript]) -> list[common.SuspectText]:
    """What was written and probably never spoken, in recording order."""
    found = [text for transcript in transcripts for text in transcript.suspect_texts]
    return sorted(found, key=lambda text: text.range.start_offset.ToNanoseconds())


def bounded(warnings: Sequence[common.Warning]) -> list[common.Warning]:
    """The same warnings, few enough to be read.

    Those of one reason and one sentence whose ranges touch become one. Of more
    than `MAX_PER_REASON` of one reason, the last of those shown stands for all
    that follow, with their number.
    """
    merged = _merged(warnings)
    counts = Counter(warning.reason for warning in merged)
    shown: list[common.Warning] = []
    rest: dict[str, common.Warning] = {}
    seen: Counter[str] = Counter()
    for warning in merged:
        reason = warning.reason
        seen[reason] += 1
        if counts[reason] <= MAX_PER_REASON or seen[reason] < MAX_PER_REASON:
            shown.append(warning)
        elif reason not in rest:
            rest[reason] = _rest(warning, counts[reason] - MAX_PER_REASON + 1)
            shown.append(rest[reason])
        else:
            _widen(rest[reason], warning)
    return shown


def _merged(warnings: Iterable[common.Warning]) -> list[common.Warning]:
    merged: list[common.Warning] = []
    last: dict[tuple[str, str], common.Warning] = {}
    for warning in warnings:
        before = last.get((warning.reason, warning.message))
        if before is not None and _touch(before, warning):
            _widen(before, warning)
            continue
        copy = common.Warning()
        copy.CopyFrom(warning)
        merged.append(copy)
        last[warning.reason, warning.message] = copy
    return merged


def _touch(before: common.Warning, warning: common.Warning) -> bool:
    if not (before.HasField("range") and warning.HasField("range")):
        return before.HasField("range") == warning.HasField("range")
    return _gap(before.range, warning.range) <= NEIGHBOUR and (
        _gap(warning.range, before.range) <= NEIGHBOUR
    )


def _gap(first: common.TimeRange, second: common.TimeRange) -> int:
    return second.start_offset.ToNanoseconds() - first.end_offset.ToNanoseconds()


def _widen(one: common.Warning, other: common.Warning) -> None:
    """Lets a warning reach over another's range too."""
    if not (one.HasField("range") and other.HasField("range")):
        one.ClearField("range")
        return
    if other.range.end_offset.ToNanoseconds() > one.range.end_offset.ToNanoseconds():
        one.range.end_offset.CopyFrom(other.range.end_offset)
    if other.range.start_offset.ToNanoseconds() < one.range.start_offset.ToNanoseconds():
        one.range.start_offset.CopyFrom(other.range.start_offset)


def _rest(first: common.Warning, count: int) -> common.Warning:
    rest = common.Warning()
    rest.CopyFrom(first)
    rest.metadata["more"] = str(count)
    rest.message = f"{count} more of these follow: {first.message}"
    return rest


def unread_duration(transcripts: Iterable[common.Transcript]) -> timedelta:
    """How long the speech lasts that no text could be made of."""
    total = sum(
        span.end_offset.ToNanoseconds() - span.start_offset.ToNanoseconds()
        for span in unread_ranges(transcripts)
    )
    return timedelta(microseconds=total / 1000)
