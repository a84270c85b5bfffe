"""Runs another product: `python -m bench.diarization._peer NAME`, in their environment.

Each has the settings of its README.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from bench.diarization.serving import Listen, Spoken, serve


def _senko() -> Listen:
    import senko

    diarizer = senko.Diarizer(device="cpu", warmup=True, quiet=True)

    def listen(path: str, speakers: int | None) -> Sequence[Spoken]:
        del speakers  # it has no such option
        found = diarizer.diarize(path, generate_colors=False)
        merged = found["merged_segments"] if found else []
        return [(each["start"], each["end"], each["speaker"]) for each in merged]

    return listen


def _speaker_diarize_lite() -> Listen:
    from speaker_diarize_lite import diarize

    def listen(path: str, speakers: int | None) -> Sequence[Spoken]:
        found = diarize(path, num_speakers=speakers)
        return [(each.start_s, each.end_s, each.speaker) for each in found.segments]

    return listen


def _speakrs() -> Listen:
    import speakrs

    pipeline = speakrs.Pipeline.from_pretrained("cpu")

    def listen(path: str, speakers: int | None) -> Sequence[Spoken]:
        del speakers  # it has no such option
        found = pipeline.diarize_file(path)
        return [(each.start, each.end, each.speaker) for each in found.segments]

    return listen


LOADS: Mapping[str, Callable[[], Listen]] = {
    "senko": _senko,
    "speaker-diarize-lite": _speaker_diarize_lite,
    "speakrs": _speakrs,
}

if __name__ == "__main__":
    serve(LOADS[sys.argv[1]])
