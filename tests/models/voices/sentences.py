"""All that the tiny Whisper knows.

Two of the sentences hold a colon. faster-whisper suppresses most symbols unless told otherwise, so
that those two are written without it.
"""

from __future__ import annotations

from pathlib import Path

SENTENCES = tuple(
    Path(__file__).with_name("sentences.txt").read_text(encoding="utf-8").splitlines()
)
