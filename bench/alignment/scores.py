"""How well the scores of words tell right ones from words that were not spoken.

In the text of each clip of people of LibriSpeech, one word in six is replaced by another one before
the engine aligns it. The area under the curve (AUC) is how often a word that was spoken scores
higher than one that was not.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer

from bench.alignment.voices import FORMS, HELD_OUT, TUNING, Clip, clips, in_form, samples_of, texts
from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from maie_alignment.engine import SAMPLE_RATE, Engine
from maie_alignment.settings import ENGINES, AlignmentSettings
from maie_alignment.text import text_words
from maie_runtime.worker.engines import find_engine

REPLACED_EVERY = 6
# Shorter words are mostly articles and the like, which readers swallow.
LONG_LETTERS = 4

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    form: Annotated[str, typer.Option(help=f"{', '.join(FORMS)}.")] = FORMS[0],
    tuning: Annotated[
        bool, typer.Option("--tuning", help="Read by those by whom thresholds may be chosen.")
    ] = False,
    voices: Annotated[Path | None, typer.Option(help="LibriSpeech's SPEAKER/*.flac.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Prints the AUC, how many words are on the right side of 0.5, time and memory."""
    speakers = TUNING if tuning else HELD_OUT
    others = Others()
    figures = asyncio.run(_main(clips(speakers, voices), form))
    Report(
        bench="alignment.scores",
        measured=__doc__.splitlines()[0],
        settings={
            "speakers": " ".join(speakers),
            "form": form,
            "share_of_others": round(others.share(), 2),
        },
        figures=figures,
    ).print(as_json)


async def _main(found: Sequence[Clip], form: str) -> list[Figure]:
    vocabulary = sorted({form for text in texts().values() for form in _forms(text)})
    spoken: list[tuple[str, float]] = []
    replaced: list[tuple[str, float]] = []
    work = audio = 0.0
    settings = AlignmentSettings()
    create = find_engine(ENGINES, settings.engine).load()
    engine: Engine
    async with create(settings) as engine:
        for number, clip in enumerate(found):
            chance = random.Random(number)
            words = list(_forms(clip.text))
            places = set(range(chance.randrange(REPLACED_EVERY), len(words), REPLACED_EVERY))
            for place in places:
                words[place] = chance.choice([each for each in vocabulary if each not in words])
            samples = samples_of(in_form(form, clip.audio))
            began = time.monotonic()
            aligned = await engine.align(samples, words)
            work += time.monotonic() - began
            audio += len(samples) / SAMPLE_RATE
            if len(aligned) != len(words):
                note(f"{clip.text[:40]}: not aligned")
                continue
            for place, word in enumerate(aligned):
                (replaced if place in places else spoken).append((word.text, word.score))
        memory = sum(each.memory_info().rss for each in psutil.Process().children(recursive=True))
    return [
        *_figures(spoken, replaced),
        Figure(name="time of work over time of audio", value=work / audio),
        Figure(name="memory of the aligner", value=memory / 1e6, unit="MB"),
    ]


def _forms(text: str) -> list[str]:
    return [form for word in text_words(text) for form in word.spoken]


def _figures(
    spoken: Sequence[tuple[str, float]], replaced: Sequence[tuple[str, float]]
) -> list[Figure]:
    figures = [
        Figure(name="words that were spoken", value=len(spoken)),
        Figure(name="words that were not", value=len(replaced)),
    ]
    for name, least in (
        ("all words", 1),
        (f"words of {LONG_LETTERS} letters and more", LONG_LETTERS),
    ):
        right = [score for text, score in spoken if len(text) >= least]
        wrong = [score for text, score in replaced if len(text) >= least]
        figures += [
            Figure(name=f"{name}: AUC", value=area(right, wrong)),
            Figure(
                name=f"{name}: spoken, below 0.5",
                value=100 * float(np.mean(np.asarray(right) < 0.5)),
                unit="%",
            ),
            Figure(
                name=f"{name}: not spoken, below 0.5",
                value=100 * float(np.mean(np.asarray(wrong) < 0.5)),
                unit="%",
            ),
        ]
    return figures


def area(right: Sequence[float], wrong: Sequence[float]) -> float:
    """How often one of the first is larger than one of the second; equal ones count half."""
    differences = np.subtract.outer(np.asarray(right), np.asarray(wrong))
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))


if __name__ == "__main__":
    app()
