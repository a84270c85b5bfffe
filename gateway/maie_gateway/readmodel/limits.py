"""What a list or a search may ask for; checked before it reaches the database."""

from __future__ import annotations

import re

from maie.job.v1 import job_pb2 as job
from maie_core.errors import invalid
from maie_core.limits import (
    MAX_LABEL_CHARACTERS,
    MAX_LABEL_KEY_CHARACTERS,
    MAX_LABELS,
    MAX_QUERY_CHARACTERS,
)
from maie_core.reasons import Reason
from maie_gateway.readmodel.filters import Filtered
from maie_gateway.readmodel.words import storable

_SHA256 = re.compile("[0-9a-f]{64}")


def check_filters(request: Filtered) -> None:
    """Refuses filters that no job could need.

    Raises:
        StageError: INVALID_ARGUMENT with LABELS_INVALID, FIELD_INVALID or QUERY_INVALID.
    """
    # The number first: whatever the rest costs, it is for so many only.
    if len(request.labels) > MAX_LABELS or not all(
        len(key) <= MAX_LABEL_KEY_CHARACTERS and len(storable(value)) <= MAX_LABEL_CHARACTERS
        for key, value in request.labels.items()
    ):
        raise invalid(
            Reason.LABELS_INVALID,
            f"A list may ask for {MAX_LABELS} labels, as many as a job has: keys of up to "
            f"{MAX_LABEL_KEY_CHARACTERS} characters, values of up to {MAX_LABEL_CHARACTERS}.",
            field="labels",
        )
    known = job.JobState.values()
    if len(request.states) > len(known) or not all(state in known for state in request.states):
        raise invalid(
            Reason.FIELD_INVALID,
            f"A list may ask for each of the {len(known) - 1} states once; leave `states` empty "
            "for all of them.",
            field="states",
        )
    if request.recording_sha256 and not _SHA256.fullmatch(request.recording_sha256):
        raise invalid(
            Reason.FIELD_INVALID,
            "The SHA-256 of a recording has 64 lower-case hexadecimal digits; take it from the "
            "field `recording_sha256` of a job.",
            field="recording_sha256",
        )
    if len(request.speaker) > MAX_QUERY_CHARACTERS:
        raise invalid(
            Reason.QUERY_INVALID,
            f"The words of a speaker's name have at most {MAX_QUERY_CHARACTERS} characters.",
            field="speaker",
        )
