"""Meetings of sentences that the tiny Qwen3 knows, and the scripts that trained it.

What tests use needs no torch: `random_meeting` and `random_text` draw what the model can read, with
the answers that it is known to give.
"""

from pathlib import Path

from tests.models.meetings.meetings import Meeting, random_meeting, random_text
from tests.models.meetings.sentences import SENTENCES, Sentence, spoken

MODEL = Path(__file__).parents[1] / "tiny-qwen3"

__all__ = [
    "MODEL",
    "SENTENCES",
    "Meeting",
    "Sentence",
    "random_meeting",
    "random_text",
    "spoken",
]
