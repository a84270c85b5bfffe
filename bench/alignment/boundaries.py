"""Times of words and sounds, against speech of Flite whose times are known.

Both engines of the alignment service and other products do the same recordings in turn, with one
thread each. `make bench-alignment.boundaries` installs the others into environments of their own:
aeneas compares with what espeak-ng says, and the others ask Whisper base. faster-whisper is given
no text, so it is asked only about the words that it hears. Synthetic speech is clearer and more
even than that of people, and both engines' times were shifted as a whole by such speech. So there
are ratios, too, for which the times of each product are shifted by its own median.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bench.alignment.nearness import (
    NEAR_MS,
    FoundWord,
    Nearness,
    middle,
    ratio,
    share_within,
    shifted,
)
from bench.alignment.spoken import Spoken, spoken_passages
from bench.alignment.voices import FORMS, in_form, samples_of
from bench.diarization.asking import Asked, asked
from bench.meshes import ROOT, data_folder
from bench.others import Others
from bench.readings import SAMPLE_RATE, Reading, write_wav
from bench.report import Figure, JsonOption, Report, note
from maie_alignment.engine import Engine, Samples
from maie_alignment.settings import ENGINES, AlignmentSettings
from maie_alignment.text import spoken_forms
from maie_core.models import DEFAULT_WHISPER, model_store
from maie_runtime.worker.engines import find_engine

OURS = ("embedded", "wav2vec2")
# The environment of each, which the Makefile makes.
PEERS = {
    "aeneas": ".venv-aeneas",
    "stable-ts": ".venv-alignment-peers",
    "faster-whisper": ".venv-alignment-peers",
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Product:
    """One that finds times: how near it is, and how long it took, in seconds."""

    def __init__(self) -> None:
        self.nearness = Nearness()
        self.work = 0.0


@app.command()
def main(
    form: Annotated[str, typer.Option(help=f"{', '.join(FORMS)}.")] = FORMS[0],
    passages: Annotated[int, typer.Option(help="Passages of each of three voices.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Prints how far off words and sounds are, and what others are off over the engines."""
    others = Others()
    spoken = spoken_passages(passages)
    products = asyncio.run(_main(spoken, form))
    length = sum(len(each.samples) for each in spoken) / SAMPLE_RATE
    Report(
        bench="alignment.boundaries",
        measured=__doc__.splitlines()[0],
        settings={
            "form": form,
            "passages": len(spoken),
            "seconds": round(length),
            "share_of_others": round(others.share(), 2),
        },
        figures=list(_figures(products, length)),
    ).print(as_json)


async def _main(spoken: Sequence[Spoken], form: str) -> Mapping[str, Product]:
    products = {name: Product() for name in (*OURS, *PEERS)}
    with data_folder() as data, ExitStack() as asking:
        peers = {name: asking.enter_context(_peer(name, data)) for name in PEERS}
        async with AsyncExitStack() as opened:
            engines = {name: await opened.enter_async_context(_engine(name)) for name in OURS}
            for passage in spoken:
                audio = in_form(form, (passage.samples / 32768).astype(np.float32))
                samples = samples_of(audio)
                for name, engine in engines.items():
                    began = time.monotonic()
                    found = await _found(engine, samples, passage)
                    products[name].work += time.monotonic() - began
                    products[name].nearness.add(passage.words, found)
                wav = data / "speech.wav"
                write_wav(wav, Reading(audio=audio, words=()))
                for name, peer in peers.items():
                    answer = peer.ask({"path": str(wav), "sentences": passage.sentences})
                    products[name].work += answer["seconds"]
                    words = [FoundWord(text=text, start=a, end=b) for text, a, b in answer["words"]]
                    products[name].nearness.add(passage.words, words)
                note(f"{passage.voice}, {form}: {len(passage.words)} words")
    return products


@contextmanager
def _peer(name: str, data: Path) -> Iterator[Asked]:
    """A product that is loaded.

    Raises:
        AnswerError: It cannot be.
    """
    python = str(ROOT / PEERS[name] / "bin" / "python")
    model = str(model_store() / DEFAULT_WHISPER)
    command = [python, "-m", "bench.alignment._peer", name, model]
    with asked(command, data / f"{name}.log") as peer:
        peer.answer()
        yield peer


@asynccontextmanager
async def _engine(name: str) -> AsyncIterator[Engine]:
    create = find_engine(ENGINES, name).load()
    async with create(AlignmentSettings(engine=name)) as engine:
        yield engine


async def _found(engine: Engine, samples: Samples, passage: Spoken) -> list[FoundWord]:
    forms = [form for word in passage.words for form in spoken_forms(word.text)]
    return [
        FoundWord(
            text=word.text,
            start=word.start,
            end=word.end,
            sounds=tuple(phone.start for phone in word.phones),
        )
        for word in await engine.align(samples, forms)
    ]


def _figures(products: Mapping[str, Product], length: float) -> Iterator[Figure]:
    for name, product in products.items():
        near = product.nearness
        share = len(near.starts) / near.words
        yield Figure(name=f"{name}: words found", value=100 * share, unit="%")
        if near.sounds:
            share = len(near.sounds) / near.spoken_sounds
            yield Figure(name=f"{name}: sounds found", value=100 * share, unit="%")
        yield from _errors(f"{name}: starts of words", list(near.starts.values()))
        yield from _errors(f"{name}: ends of words", list(near.ends.values()))
        yield from _errors(f"{name}: starts of sounds", near.sounds)
        yield Figure(name=f"{name}: time of work over time of audio", value=product.work / length)
    for peer in PEERS:
        for own in OURS:
            one, other = products[peer].nearness, products[own].nearness
            name = f"{peer} over {own}: median error"
            yield Figure(name=f"{name}, starts", value=ratio(one.starts, other.starts))
            yield Figure(name=f"{name}, ends", value=ratio(one.ends, other.ends))
            yield Figure(
                name=f"{name}, starts, both shifted",
                value=ratio(shifted(one.starts), shifted(other.starts)),
            )


def _errors(name: str, errors: Sequence[float]) -> Iterator[Figure]:
    if errors:
        yield Figure(name=f"{name}, median error", value=middle(errors), unit="ms")
        yield Figure(name=f"{name}, late by", value=1000 * float(np.median(errors)), unit="ms")
        for ms in NEAR_MS:
            yield Figure(name=f"{name}, within {ms} ms", value=share_within(errors, ms), unit="%")


if __name__ == "__main__":
    app()
