"""The process that tries a model."""

from __future__ import annotations

import json
import sys

import numpy as np

from maie_asr.engine import SAMPLE_RATE
from maie_asr.engines.sherpa.recognizer import Call, end_stream, feed, read_stream, read_window

SILENCE = np.zeros(SAMPLE_RATE, np.int16)


def main() -> None:
    """Tries the model whose call comes as JSON on standard input."""
    call = Call(**json.load(sys.stdin))
    recognizer = call.make()
    stream = recognizer.create_stream()
    if call.streaming:
        feed(stream, SILENCE)
        end_stream(stream)
        read_stream(recognizer, stream)
    else:
        read_window(recognizer, stream, SILENCE)


if __name__ == "__main__":
    main()
