"""Checks who speaks in corrected segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit
from maie_core.speakers import is_speaker, speaker_number
from maie_gateway.edits.checks import edit_invalid


def check_speakers(known: Iterable[common.Segment], edits: Sequence[edit.SegmentEdit]) -> None:
    """Checks that each speaker of a correction is known, or new and numbered on from the last.

    Args:
        known: The segments whose speakers are known.
        edits: The corrections.

    Raises:
        StageError: INVALID_ARGUMENT with EDIT_INVALID.
    """
    wanted = list(_wanted(edits))
    if not wanted:
        return
    speakers = {segment.speaker for segment in known if is_speaker(segment.speaker)}
    last = max(map(speaker_number, speakers), default=0)
    if not last:
        raise edit_invalid(
            wanted[0][0],
            "Nobody was told apart in this recording; correct it without speakers, or process the "
            "recording again with the feature SPEAKERS.",
        )
    new = {each for _, each in wanted if is_speaker(each)} - speakers
    following = {f"S{last + number}" for number in range(1, len(new) + 1)}
    for field, each in wanted:
        if each not in speakers | following:
            raise edit_invalid(
                field,
                f"A speaker is one of the recording's, or a new one, which is S{last + 1}; get the "
                "job and look.",
            )


def _wanted(edits: Sequence[edit.SegmentEdit]) -> Iterable[tuple[str, str]]:
    """The speakers of corrections, each with its field."""
    for index, each in enumerate(edits):
        for place, segment in enumerate(each.segments):
            if segment.HasField("speaker"):
                yield f"edits[{index}].segments[{place}].speaker", segment.speaker
