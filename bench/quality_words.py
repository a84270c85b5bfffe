"""Whether predicted quality says how many words will be wrong.

The same real reading in many forms: clean, with noise, by telephone, clipped, in rooms, and with
echoes; of one reader, or of seven others (`--people`), on whom no threshold was chosen. Each goes
through the mesh's preprocess, quality and ASR stages. For each measure of quality, Spearman's rank
correlation with the share of wrong words says how well it orders the forms: -1 is perfectly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer

from bench.alignment.voices import HELD_OUT, clips
from bench.meshes import data_folder
from bench.readings import SAMPLE_RATE, Audio, Reading, by_telephone, long_reading, pink_noise
from bench.report import Figure, JsonOption, Report, note
from bench.stages import call
from bench.words import Stages, opened_stages, score
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.quality.v1 import quality_pb2 as quality
from maie_core.models import DEFAULT_WHISPER, model_store
from maie_quality.settings import QualitySettings
from maie_quality.stage import AssessStage, open_stage
from maie_runtime.blobs import Blobs

# What orders the forms of a reading by their errors at least this well keeps the promise.
ORDERED = -0.7
LOST_SECONDS = 1.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def _noise(decibels: float) -> Callable[[Audio], Audio]:
    def make(audio: Audio) -> Audio:
        power = np.mean(audio[np.abs(audio) > 1e-4] ** 2) / 10 ** (decibels / 10)
        return (audio + pink_noise(len(audio), seed=0) * np.sqrt(power)).astype(np.float32)

    return make


def _clipped(decibels: float) -> Callable[[Audio], Audio]:
    return lambda audio: np.clip(audio * 10 ** (decibels / 20), -1, 1)


def _room(seconds: float) -> Callable[[Audio], Audio]:
    """A room in which sound fades by 60 dB in this time, four times as loud as what is direct."""

    def make(audio: Audio) -> Audio:
        time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        tail = np.random.default_rng(0).standard_normal(len(time)) * 10 ** (-3 * time / seconds)
        tail[0] = np.sqrt(np.sum(tail[1:] ** 2)) / 2
        size = len(audio) + len(tail)
        made = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)
        return (made[: len(audio)] * (0.5 / np.abs(made).max())).astype(np.float32)

    return make


def _echo(seconds: float, decibels: float) -> Callable[[Audio], Audio]:
    def make(audio: Audio) -> Audio:
        late = round(seconds * SAMPLE_RATE)
        made = audio.copy()
        made[late:] += 10 ** (decibels / 20) * audio[:-late]
        return made

    return make


FORMS: Mapping[str, Callable[[Audio], Audio]] = {
    "clean": lambda audio: audio,
    **{f"noise {level} dB": _noise(level) for level in (20, 10, 5, 0, -5)},
    "telephone": by_telephone,
    "telephone, noise 10 dB": lambda audio: by_telephone(_noise(10)(audio)),
    **{f"clipped {gain} dB": _clipped(gain) for gain in (12, 24, 36)},
    **{f"room {seconds} s": _room(seconds) for seconds in (0.4, 0.8, 1.5, 3.0)},
    "room 0.8 s, noise 10 dB": lambda audio: _noise(10)(_room(0.8)(audio)),
    **{f"echo {level} dB": _echo(0.25, level) for level in (-12, -6, -3)},
}
MEASURES = ("overall", "speech", "background", "crowd", "snr_db", "reverberation_seconds")


@app.command()
def main(
    seconds: Annotated[float, typer.Option(help="How long the reading is at least.")] = 60.0,
    people: Annotated[bool, typer.Option("--people", help="Seven people of LibriSpeech.")] = False,
    voices: Annotated[Path | None, typer.Option(help="LibriSpeech's SPEAKER/*.flac.")] = None,
    engine: Annotated[str, typer.Option(help="What predicts the scores.")] = "dnsmos",
    as_json: JsonOption = False,
) -> None:
    """Prints the wrong words and the quality of each form, and how well one orders the other."""
    model = model_store() / DEFAULT_WHISPER
    readings = _people(seconds, voices) if people or voices else {"": long_reading(seconds)}
    Report(
        bench="quality_words",
        measured="Wrong words and predicted quality of one reading in many forms, and the rank "
        "correlation of both.",
        settings={"seconds": seconds, "people": ", ".join(readings), "engine": engine},
        figures=asyncio.run(_main(readings, model, engine)),
    ).print(as_json)


def _people(seconds: float, folder: Path | None) -> dict[str, Reading]:
    return {
        speaker: long_reading(
            seconds, sentences=[(clip.text, clip.audio) for clip in clips([speaker], folder)]
        )
        for speaker in HELD_OUT
    }


@dataclass(kw_only=True, frozen=True, slots=True)
class Heard:
    """A reading in one form: its wrong words in percent, and the report of its sound."""

    form: str
    wrong: float
    report: quality.QualityReport


async def _main(readings: Mapping[str, Reading], model: Path, engine: str) -> list[Figure]:
    figures: list[Figure] = []
    everything: list[Heard] = []
    with data_folder() as data:
        blobs = Blobs(f"file://{data}/blobs")
        async with (
            opened_stages(data, model) as stages,
            open_stage(QualitySettings(engine=engine), blobs) as assess,
        ):
            for person, reading in readings.items():
                heard = [await _heard(form, reading, stages, assess, blobs) for form in FORMS]
                everything += heard
                if not person:
                    figures += _forms(heard)
                figures += _order(f"{person}: " if person else "", heard)
    return figures + _warned(everything)


async def _heard(
    form: str, reading: Reading, stages: Stages, assess: AssessStage, blobs: Blobs
) -> Heard:
    made = replace(reading, audio=FORMS[form](reading.audio))
    plan = await stages.plan(made, preprocess.PreprocessRequest())
    text, _ = await stages.text(plan)
    report = await _report(assess, plan, blobs)
    wrong = 100 * score(made, text, LOST_SECONDS).wrong
    note(f"{form}: {wrong:.1f} % wrong, {'warned of' if report.warnings else 'not warned of'}")
    return Heard(form=form, wrong=wrong, report=report)


def _forms(heard: Sequence[Heard]) -> list[Figure]:
    figures = []
    for each in heard:
        figures += [
            Figure(name=f"{each.form}: wrong", value=each.wrong, unit="%"),
            *(
                Figure(name=f"{each.form}: {measure}", value=value)
                for measure in MEASURES
                if (value := _value(each.report, measure)) is not None
            ),
            Figure(name=f"{each.form}: warned of", value=len(each.report.warnings)),
        ]
    return figures


def _warned(heard: Sequence[Heard]) -> list[Figure]:
    """How many words are wrong in what is warned of, and in the rest."""
    figures = []
    for name, wrong in (
        ("warned of", [each.wrong for each in heard if each.report.warnings]),
        ("not warned of", [each.wrong for each in heard if not each.report.warnings]),
    ):
        figures.append(Figure(name=f"{name}: recordings", value=len(wrong)))
        if wrong:
            figures += [
                Figure(name=f"{name}: wrong, {what}", value=value, unit="%")
                for what, value in (
                    ("least", min(wrong)),
                    ("median", median(wrong)),
                    ("most", max(wrong)),
                )
            ]
    return figures


async def _report(
    stage: AssessStage, plan: preprocess.PreprocessResult, blobs: Blobs
) -> quality.QualityReport:
    parts = []
    for chunk in plan.chunks:
        measures = await call(stage, quality.AssessRequest(speech_chunk=chunk), blobs)
        parts.append(await blobs.put_message("direct/bench/measures", measures))
    whole = await blobs.put_message("direct/bench/plan", plan)
    source = quality.MeasuresSource(parts=parts, preprocessed=whole)
    report: quality.QualityReport = await call(stage, quality.AssessRequest(measures=source), blobs)
    return report


def _value(report: quality.QualityReport, measure: str) -> float | None:
    if not report.HasField(measure):
        return None
    value = getattr(report, measure)
    return float(value.mean if isinstance(value, quality.ScoreSummary) else value)


def _order(of: str, heard: Sequence[Heard]) -> list[Figure]:
    figures = []
    for measure in MEASURES:
        pairs = [
            (value, each.wrong)
            for each in heard
            if (value := _value(each.report, measure)) is not None
        ]
        if len(pairs) > 2:
            figures.append(
                Figure(
                    name=f"{of}rank correlation of {measure} with wrong words, {len(pairs)} forms",
                    value=rank_correlation(*zip(*pairs, strict=True)),
                    at_most=ORDERED if measure == "overall" else None,
                )
            )
    return figures


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's rank correlation, -1 to 1; equal values have the mean of their ranks."""
    ranks = np.array([_ranks(np.asarray(each, np.float64)) for each in (one, other)])
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.array([(values < each).sum() + ((values == each).sum() - 1) / 2 for each in values])


if __name__ == "__main__":
    app()
