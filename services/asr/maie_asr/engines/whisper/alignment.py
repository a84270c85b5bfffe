"""Times of words, in windows of any length."""

from __future__ import annotations

from typing import Any

from faster_whisper import WhisperModel

# A window begins where the last word ended. The last window can be a few frames of 10 ms, too short
# for a word; padded to 30 s, it makes the model invent one.
SHORTEST_FRAMES = 10
# The encoder halves the frame rate, and half a frame cannot be aligned: faster-whisper fails with
# an IndexError, and CTranslate2 may divide by zero (SYSTRAN/faster-whisper#1460).
ALIGNABLE_FRAMES = 2


class AligningModel(WhisperModel):  # type: ignore[misc]  # The library is untyped.
    """A Whisper model that writes nothing for windows too short for a word."""

    def find_alignment(
        self,
        tokenizer: Any,
        text_tokens: list[list[int]],
        encoder_output: Any,
        num_frames: int | list[int],
        *arguments: Any,
        **options: Any,
    ) -> list[list[dict[str, Any]]]:
        """Finds the time of each word in a window.

        Words in a window of less than `SHORTEST_FRAMES` get no duration, and faster-whisper drops
        words without a duration.

        Args:
            tokenizer: The model's tokenizer.
            text_tokens: The tokens of each text.
            encoder_output: The encoded windows, one for each text.
            num_frames: The frames of 10 ms in each window without padding; a list if several
                windows are decoded in one batch.
            *arguments: Other arguments of faster-whisper.
            **options: Other arguments of faster-whisper.
        """
        frames = (
            [_alignable(each) for each in num_frames]
            if isinstance(num_frames, list)
            else _alignable(num_frames)
        )
        return super().find_alignment(
            tokenizer, text_tokens, encoder_output, frames, *arguments, **options
        )


def _alignable(frames: int) -> int:
    return frames if frames >= SHORTEST_FRAMES else ALIGNABLE_FRAMES
