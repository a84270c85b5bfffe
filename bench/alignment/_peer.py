"""Runs another aligner: `python -m bench.alignment._peer NAME`, in its environment.

Each has the settings of its documentation, and one thread. A question is
`{"path", "sentences", "model"}`; the answer has the words as text, start and end in seconds.
"""

from __future__ import annotations

import sys
import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from bench.diarization.serving import Answer, serve_answers

Word = tuple[str, float, float]
Align = Callable[[str, Sequence[str]], Sequence[Word]]


def _aeneas(_: str) -> Align:
    from aeneas.executetask import ExecuteTask
    from aeneas.runtimeconfiguration import RuntimeConfiguration
    from aeneas.syncmap.fragment import SyncMapFragment
    from aeneas.task import Task

    # It writes what espeak-ng says at the rate at which it reads, and believes that it is this one.
    options = RuntimeConfiguration("tts_l3=espeak-ng|ffmpeg_sample_rate=22050")
    options.set_granularity(level=3)  # of words
    options.set_tts(level=3)
    settings = "task_language=eng|is_text_type=plain|os_task_file_format=json"

    def align(path: str, sentences: Sequence[str]) -> Sequence[Word]:
        with TemporaryDirectory() as folder:
            text = Path(folder) / "text.txt"
            text.write_text("\n".join(" ".join(sentences).split()), encoding="utf-8")
            task = Task(config_string=settings)
            task.audio_file_path_absolute = path
            task.text_file_path_absolute = str(text)
            ExecuteTask(task, rconf=options).execute()
            return [
                (word.text, word.begin, word.end)
                for word in task.sync_map.fragments
                if word.fragment_type == SyncMapFragment.REGULAR
            ]

    return align


def _stable_ts(model: str) -> Align:
    # Its native part is of another torch; what stable-ts takes of it is Python.
    extension = ModuleType("torchaudio._extension")
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = False  # type: ignore[attr-defined]
    extension._IS_ALIGN_AVAILABLE = False  # type: ignore[attr-defined]
    extension.fail_if_no_align = lambda function: function  # type: ignore[attr-defined]
    sys.modules["torchaudio._extension"] = extension
    import stable_whisper
    import torch

    torch.set_num_threads(1)
    whisper = stable_whisper.load_faster_whisper(
        model, device="cpu", compute_type="int8", cpu_threads=1
    )

    def align(path: str, sentences: Sequence[str]) -> Sequence[Word]:
        found = whisper.align(_samples(path), " ".join(sentences), language="en", verbose=None)
        return [(word.word, word.start, word.end) for word in found.all_words()]

    return align


def _faster_whisper(model: str) -> Align:
    from faster_whisper import WhisperModel

    whisper = WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1)

    def align(path: str, sentences: Sequence[str]) -> Sequence[Word]:
        del sentences  # it hears, and is given no text
        segments, _ = whisper.transcribe(path, language="en", word_timestamps=True)
        return [(word.word, word.start, word.end) for segment in segments for word in segment.words]

    return align


def _samples(path: str) -> Any:
    import numpy as np

    with wave.open(path) as speech:
        return np.frombuffer(speech.readframes(speech.getnframes()), np.int16) / np.float32(32768)


LOADS: Mapping[str, Callable[[str], Align]] = {
    "aeneas": _aeneas,
    "stable-ts": _stable_ts,
    "faster-whisper": _faster_whisper,
}


def _loaded(name: str, model: str) -> Answer:
    align = LOADS[name](model)

    def answer(question: Mapping[str, Any]) -> dict[str, Any]:
        words = align(question["path"], question["sentences"])
        return {"words": [[text.strip(), float(start), float(end)] for text, start, end in words]}

    return answer


if __name__ == "__main__":
    serve_answers(lambda: _loaded(*sys.argv[1:3]))
