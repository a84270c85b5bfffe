"""Scores turns: `python -m bench.diarization._score`, in the environment of pyannote.metrics.

Each line of standard input is `{"truth", "found", "seconds"}` with turns as JSON has them; the
answer is a line with all figures in seconds, or as shares of the speech in the truth.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

# NIST forgives a quarter of a second on each side of a boundary; pyannote.metrics asks for both.
COLLAR_SECONDS = 2 * 0.25


def scored(truth: Sequence[Any], found: Sequence[Any], seconds: float) -> dict[str, float]:
    """The error rates of one recording."""
    reference, hypothesis = _annotation(truth), _annotation(found)
    whole = Timeline([Segment(0, seconds)])
    parts = DiarizationErrorRate()(reference, hypothesis, uem=whole, detailed=True)
    forgiving = DiarizationErrorRate(collar=COLLAR_SECONDS)
    return {
        "speech": parts["total"],
        "missed": parts["missed detection"],
        "false_alarm": parts["false alarm"],
        "confusion": parts["confusion"],
        "collar": forgiving(reference, hypothesis, uem=whole),
        "jaccard": JaccardErrorRate()(reference, hypothesis, uem=whole),
    }


def _annotation(turns: Sequence[Any]) -> Annotation:
    annotation = Annotation()
    for track, (start, end, speaker) in enumerate(turns):
        annotation[Segment(start, end), track] = speaker
    return annotation


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(scored(**json.loads(line))), flush=True)
