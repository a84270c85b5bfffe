"""Errors of reading that were planted, looked up word by word in what the reading service finds.

People of LibriSpeech read for about a minute each. Errors are planted by the sound (words are cut
out, spliced in, doubled, silence and "um" put between) and by the text (words are replaced, added,
removed), one in eight words or fewer. The stages preprocess and asr hear each recording with their
own settings and Whisper base, and the service's engine compares it with the text. Untouched
readings show false alarms; what a reader really did wrong counts as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from bench.alignment.hearing import heard_words
from bench.alignment.judging import Judged
from bench.alignment.passages import passages
from bench.alignment.planting import (
    IN_SOUND,
    IN_TEXT,
    Faulty,
    plant_in_sound,
    plant_in_text,
    untouched,
)
from bench.alignment.voices import FORMS, HELD_OUT, TUNING, Clip, clips, in_form, samples_of, texts
from bench.meshes import data_folder
from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from bench.words import opened_stages
from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.engine import Engine
from maie_alignment.reading.audio import WholeAudio
from maie_alignment.reading.compare import HeardWord
from maie_alignment.reading.reader import Recording, read_along
from maie_alignment.settings import ENGINES, AlignmentSettings
from maie_alignment.text import text_words
from maie_core.models import DEFAULT_WHISPER, model_store
from maie_runtime.worker.engines import find_engine
from tests.models.voices import flite
from tests.models.voices.flite import Manner

QUICK = 2
WAYS = ("untouched", "sound", "text")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Results:
    """What was found, by how errors were planted.

    Attributes:
        judged: Errors of each way.
        paces: For each reading, how much the words correct a minute are wrong, as a share.
    """

    def __init__(self) -> None:
        self.judged = {way: Judged() for way in WAYS}
        self.paces: dict[str, list[float]] = {way: [] for way in WAYS}


@app.command()
def main(
    form: Annotated[str, typer.Option(help=f"{', '.join(FORMS)}.")] = FORMS[0],
    tuning: Annotated[
        bool, typer.Option("--tuning", help="Read by those by whom thresholds may be chosen.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Two people.")] = False,
    voices: Annotated[Path | None, typer.Option(help="LibriSpeech's SPEAKER/*.flac.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Prints precision and recall of each kind of error, and false alarms."""
    speakers = (TUNING if tuning else HELD_OUT)[: QUICK if quick else None]
    others = Others()
    figures = asyncio.run(_main(clips(speakers, voices), form))
    Report(
        bench="alignment",
        measured="Planted errors of reading that were found, in hundredths, and false alarms.",
        settings={
            "speakers": " ".join(speakers),
            "form": form,
            "share_of_others": round(others.share(), 2),
        },
        figures=figures,
    ).print(as_json)


async def _main(found: Sequence[Clip], form: str) -> list[Figure]:
    results = Results()
    filler = (flite.speak("um", Manner(voice="rms"))[0] / 32768).astype("float32")
    vocabulary = sorted({word.text for text in texts().values() for word in text_words(text)})
    with data_folder() as data:
        async with AsyncExitStack() as stack:
            settings = AlignmentSettings()
            create = find_engine(ENGINES, settings.engine).load()
            engine: Engine = await stack.enter_async_context(create(settings))
            stages = await stack.enter_async_context(
                opened_stages(data, model_store() / DEFAULT_WHISPER)
            )
            for number, passage in enumerate(await passages(found, engine)):
                # The text changes and the sound does not, so that both are heard once.
                plain = untouched(passage)
                heard = await heard_words(stages, in_form(form, plain.audio))
                by_text = plant_in_text(passage, vocabulary, number)
                for way, faulty in ((WAYS[0], plain), (WAYS[2], by_text)):
                    _judge(results, way, faulty, await _read(engine, faulty, heard, form))
                by_sound = plant_in_sound(passage, filler, number)
                heard = await heard_words(stages, in_form(form, by_sound.audio))
                _judge(results, WAYS[1], by_sound, await _read(engine, by_sound, heard, form))
                note(f"{passage.speaker}, {form}: {len(passage.words)} words")
    return list(_figures(results))


async def _read(
    engine: Engine, faulty: Faulty, heard: Sequence[HeardWord], form: str
) -> alignment.Reading:
    recording = Recording(
        audio=WholeAudio(samples_of(in_form(form, faulty.audio))),
        text=text_words(faulty.text),
        heard=heard,
    )
    async for update in read_along(recording, engine):
        if isinstance(update, alignment.Reading):
            return update
    raise AssertionError("read_along yields a reading at last")


def _judge(results: Results, way: str, faulty: Faulty, reading: alignment.Reading) -> None:
    results.judged[way].add(faulty.planted, reading)
    truth = faulty.correct * 60 / faulty.seconds
    results.paces[way].append(reading.figures.words_correct_per_minute / truth - 1)


def _figures(results: Results) -> list[Figure]:
    plain = results.judged["untouched"]
    figures = [
        Figure(name="untouched: words", value=plain.words),
        Figure(
            name="untouched: false alarms in 100 words",
            value=100 * plain.false_words() / plain.words,
        ),
        *(
            Figure(name=f"untouched: {kind}", value=count)
            for kind, count in sorted(plain.false.items())
        ),
    ]
    for way, kinds in (("sound", IN_SOUND), ("text", IN_TEXT)):
        judged = results.judged[way]
        for kind in kinds:
            figures.append(Figure(name=f"{way}, {kind}: planted", value=judged.planted[kind]))
            if judged.planted[kind]:
                shares = {
                    "found (recall)": judged.recall(kind),
                    "noticed, of any kind": judged.noticed[kind] / judged.planted[kind],
                    "right (precision)": judged.precision(kind),
                }
                figures += [
                    Figure(name=f"{way}, {kind}: {name}", value=100 * share, unit="%")
                    for name, share in shares.items()
                    if share is not None
                ]
    for way, paces in results.paces.items():
        for name, value in (
            ("mean", sum(paces) / len(paces)),
            ("worst", max(paces, key=abs)),
        ):
            figures.append(
                Figure(
                    name=f"{way}: words correct a minute, {name} error",
                    value=100 * value,
                    unit="%",
                )
            )
    return figures


if __name__ == "__main__":
    app()
