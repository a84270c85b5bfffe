"""Checks corrections before they are applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit
from maie_core.errors import StageError, invalid
from maie_core.names import is_harmless
from maie_core.reasons import Reason

MAX_EDITS = 5000
"""The most corrections of one save."""
MAX_SEGMENTS = 100
"""The most segments that one correction replaces, and that are in their place."""
MAX_CHARACTERS = 10_000
"""The longest text of one segment."""


def check_edits(base: Sequence[common.Segment], edits: Sequence[edit.SegmentEdit]) -> None:
    """Checks what corrections name, and their texts; not their times.

    Raises:
        StageError: INVALID_ARGUMENT with EDIT_INVALID.
    """
    if not 1 <= len(edits) <= MAX_EDITS:
        raise edit_invalid("edits", f"A save has 1 to {MAX_EDITS} corrections.")
    places = _places_on_lanes(base)
    seen: set[str] = set()
    for index, each in enumerate(edits):
        field = f"edits[{index}]"
        _check_replaced(each, places, seen, f"{field}.segment_ids")
        seen.update(each.segment_ids)
        if len(each.segments) > MAX_SEGMENTS:
            raise edit_invalid(
                f"{field}.segments", f"At most {MAX_SEGMENTS} segments are in place of others."
            )
        for place, segment in enumerate(each.segments):
            _check_text(segment.text, f"{field}.segments[{place}].text")


def edit_invalid(field: str, message: str) -> StageError:
    """The error for a correction that is not allowed."""
    return invalid(Reason.EDIT_INVALID, message, field=field)


Lane = tuple[int, int]


def _places_on_lanes(base: Sequence[common.Segment]) -> dict[str, tuple[Lane, int]]:
    """The track and channel of each segment, by its id, and its place among those of them."""
    places: dict[str, tuple[Lane, int]] = {}
    counts: defaultdict[Lane, int] = defaultdict(int)
    for segment in base:
        lane = (segment.track, segment.channel)
        places[segment.segment_id] = (lane, counts[lane])
        counts[lane] += 1
    return places


def _check_replaced(
    each: edit.SegmentEdit, places: Mapping[str, tuple[Lane, int]], seen: set[str], field: str
) -> None:
    names = each.segment_ids
    if not 1 <= len(names) <= MAX_SEGMENTS:
        raise edit_invalid(field, f"A correction replaces 1 to {MAX_SEGMENTS} segments.")
    if any(name not in places for name in names):
        raise edit_invalid(field, "The base revision has no such segment; get it and look.")
    if not seen.isdisjoint(names):
        raise edit_invalid(field, "Two corrections replace the same segment; make them one.")
    lane, first = places[names[0]]
    if [places[name] for name in names] != [(lane, first + place) for place in range(len(names))]:
        raise edit_invalid(
            field, "The segments do not follow each other on one channel; replace them one by one."
        )


def _check_text(text: str, field: str) -> None:
    plain = one_line(text)
    if not 1 <= len(plain) <= MAX_CHARACTERS or not is_harmless(plain):
        raise edit_invalid(
            field,
            f"A segment's text has 1 to {MAX_CHARACTERS} characters, without control characters "
            "and marks that change the direction of text.",
        )


def one_line(text: str) -> str:
    """A text with one space between its words."""
    return " ".join(text.split())
