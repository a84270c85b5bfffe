"""What a person should know of a reading."""

from __future__ import annotations

from collections.abc import Iterator

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.common.v1 import types_pb2 as common
from maie_core.reasons import WarningReason
from maie_core.result_warnings import result_warning

# The share of words that are read correctly even in a poor reading of the right text.
LEAST_CORRECT = 0.5


def warnings_of(reading: alignment.Reading) -> Iterator[common.Warning]:
    """The warnings about a reading.

    Args:
        reading: The reading, of a text that has words.
    """
    figures = reading.figures
    if not figures.words or figures.correct < LEAST_CORRECT * figures.words:
        yield result_warning(
            WarningReason.TEXT_DIFFERS,
            f"{figures.correct} of {figures.words} words were read as the text has them; check "
            "that the text is that of the recording.",
            metadata={"correct": figures.correct, "words": figures.words},
        )
