"""When two groups of voices are one speaker, and how often the number of speakers is right.

`make bench-diarization.calibration` makes conversations of some people, finds for each
similarity in how many of them the number of speakers is right, and fits the confidence to the
share of other thresholds that agree (`Calibration.count_accuracy`). Then it tests both with
conversations of other people. With `--long` it also finds what `Calibration.mixed_speakers` does
for recordings that have much speech of two at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from bench.diarization.forms import CLEAN, FAR, TELEPHONE, VOIP
from bench.diarization.heard import MOST_SPEAKERS, Heard, heard
from bench.diarization.people import Person, people
from bench.diarization.recordings import Case
from bench.diarization.reliability import (
    Judgement,
    Line,
    brier,
    calibration_error,
    confidences,
    fitted,
)
from bench.meshes import data_folder
from bench.report import Figure, JsonOption, Report, note
from maie_diarization.clustering import Hints, identify
from maie_diarization.engine import Calibration, Engine
from maie_diarization.engines.embedded import EmbeddedEngine
from maie_diarization.engines.sherpa.engine import SherpaEngine

# Each with the share in which two speak.
FITTED = ((CLEAN, 0.0), (TELEPHONE, 0.0), ("white10", 0.0), (FAR, 0.0), ("babble20", 0.0))
TESTED = (
    *((CLEAN, 0.0), (TELEPHONE, 0.0), (VOIP, 0.0), ("white10", 0.0), (FAR, 0.0)),
    *(("babble20", 0.0), (CLEAN, 0.1), (CLEAN, 0.2)),
)
FITTED_SECONDS, TESTED_SECONDS = (90.0, 150.0, 240.0), (60.0, 120.0, 180.0)
# As above; the people who are fitted to talk in threes and fives where the others do in pairs and
# fours, and the other way round.
LONG = (
    *((CLEAN, 0.1), ("white10", 0.1), (CLEAN, 0.2), ("white20", 0.1)),
    ("babble20", 0.05),
)
LONG_SECONDS, LONG_PARTS = 900.0, (1 / 3, 2 / 3, 1.0)
MIXED = (inf, 0.9, 0.8, 0.7, 0.6, 0.5)
# Each conversation counts also with its first part alone.
PARTS = (0.5, 1.0)
SIMILARITIES = tuple(round(0.2 + 0.03 * step, 2) for step in range(12))
POINTS = 6
ENGINES: Final[Mapping[str, type[EmbeddedEngine | SherpaEngine]]] = {
    "embedded": EmbeddedEngine,
    "sherpa": SherpaEngine,
}
# With this line the confidence is the agreement.
_AGREEMENT: Final[Line] = ((0.0, 0.0), (1.0, 1.0))

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    voices: Annotated[Path | None, typer.Option(help="SPEAKER/*.flac or *.wav.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Where what was heard stays.")] = None,
    engine: Annotated[str, typer.Option(help=f"{', '.join(ENGINES)}.")] = "embedded",
    long: Annotated[bool, typer.Option(help="Also 20 conversations of 15 min.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prints the similarities, the line of confidence and how far both hold for others."""
    hearing = ENGINES[engine].load()
    fitting, testing = people(voices)
    mixed: list[Figure] = []
    with data_folder() as scratch:
        folder = keep or scratch
        folder.mkdir(parents=True, exist_ok=True)
        own = list(_heard("tune", _cases(FITTED, FITTED_SECONDS), fitting, folder, hearing))
        others = list(_heard("test", _cases(TESTED, TESTED_SECONDS), testing, folder, hearing))
        if long:
            fitted_long = list(_heard("tune", _long(0), fitting, folder, hearing))
            others_long = list(_heard("test", _long(1), testing, folder, hearing))
            mixed += _by_mixture("fitted", fitted_long, hearing.calibration)
            mixed += _by_mixture("others", others_long, hearing.calibration)
    calibration = hearing.calibration
    line = fitted(_judgements(own, calibration), POINTS)
    for agreement, share in line:
        note(f"count_accuracy: {agreement:.2f}, {share:.2f}")
    Report(
        bench="diarization.calibration",
        measured="Numbers of speakers that are right, by similarity, and confidences, for people "
        "that the similarity and the confidence are not fitted to.",
        settings={"fitted to": len(own), "tested with": len(others)},
        figures=[
            *_by_similarity(own, others, calibration),
            *_by_form(others, calibration),
            *_trust(others, line, calibration),
            *mixed,
        ],
    ).print(as_json)


def _judgements(some: Sequence[Heard], calibration: Calibration) -> list[Judgement]:
    """The numbers that are found in conversations and in the first parts of them."""
    return [_judged(one, part * one.seconds, calibration) for one in some for part in PARTS]


def _judged(one: Heard, seconds: float, calibration: Calibration) -> Judgement:
    calibration = replace(calibration, count_accuracy=_AGREEMENT)
    made = identify(one.first(seconds), Hints(), calibration, _nothing)
    right = len(made.centroids) == one.speakers(seconds)
    return Judgement(agreement=made.confidence, right=right)


def _heard(
    name: str, cases: Sequence[Case], persons: Sequence[Person], folder: Path, hearing: Engine
) -> Iterator[Heard]:
    for case in cases:
        note(f"listening to {name}-{case.name}")
        yield heard(name, case, persons, folder, hearing)


def _cases(forms: Sequence[tuple[str, float]], lengths: Sequence[float]) -> list[Case]:
    """Each number of speakers in each form; of one speaker no overlap."""
    return [
        Case(
            voices="real",
            speakers=speakers,
            seconds=lengths[(speakers + 1 + place) % len(lengths)],
            overlap=overlap,
            form=form,
        )
        for place, (form, overlap) in enumerate(forms)
        for speakers in range(2 if overlap else 1, MOST_SPEAKERS + 1)
    ]


def _long(first: int) -> list[Case]:
    """Long conversations: of 2 and 4 speakers, or of 3 and 5, in turn."""
    return [
        Case(voices="real", speakers=speakers, seconds=LONG_SECONDS, overlap=overlap, form=form)
        for place, (form, overlap) in enumerate(LONG)
        for speakers in ((3, 5) if (place + first) % 2 == 0 else (2, 4))
    ]


def _by_mixture(name: str, some: Sequence[Heard], calibration: Calibration) -> Iterator[Figure]:
    """In how many long conversations, and first parts of them, the number is right."""
    for similarity in MIXED:
        tried = replace(calibration, mixed_speakers=similarity)
        right = [
            len(identify(one.first(seconds), Hints(), tried, _nothing).centroids)
            == one.speakers(seconds)
            for one in some
            for seconds in (part * one.seconds for part in LONG_PARTS)
        ]
        limit = "without a limit" if similarity == inf else f"with {similarity:g}"
        yield Figure(
            name=f"mixtures, long, {name}, {limit}: right of {len(right)}", value=sum(right)
        )


def _by_similarity(
    own: Sequence[Heard], others: Sequence[Heard], calibration: Calibration
) -> Iterator[Figure]:
    for similarity in SIMILARITIES:
        tried = replace(calibration, same_speaker=similarity)
        for name, some in (("fitted", own), ("others", others)):
            right = [_counted(one, tried) for one in some]
            yield Figure(
                name=f"right with {similarity:g}, {name}",
                value=float(100 * np.mean(right)),
                unit="%",
            )


def _by_form(others: Sequence[Heard], calibration: Calibration) -> Iterator[Figure]:
    forms: dict[str, list[Judgement]] = defaultdict(list)
    for one in others:
        forms[one.group].append(_judged(one, one.seconds, calibration))
    for form, found in forms.items():
        said = confidences(found, calibration.count_accuracy)
        right = sum(each.right for each in found)
        yield Figure(name=f"right of {len(found)}, others, {form}", value=right)
        yield Figure(name=f"mean confidence, others, {form}", value=float(np.mean(said)))


def _counted(one: Heard, calibration: Calibration) -> bool:
    found = identify(one.chunks, Hints(), calibration, _nothing)
    return len(found.centroids) == one.speakers(one.seconds)


def _trust(others: Sequence[Heard], line: Line, calibration: Calibration) -> Iterator[Figure]:
    """How far confidences hold for others."""
    found = _judgements(others, calibration)
    share = float(np.mean([each.right for each in found]))
    yield Figure(name="Brier score, always the share", value=share * (1 - share))
    for name, each in (("this line", line), ("the line in use", calibration.count_accuracy)):
        said = confidences(found, each)
        yield Figure(name=f"Brier score, {name}", value=brier(found, said))
        yield Figure(name=f"calibration error, {name}", value=calibration_error(found, said))


def _nothing() -> None:
    """Needs no heartbeat."""


if __name__ == "__main__":
    app()
