"""Who spoke when, by maie and by other products, on the same recordings in one run.

`make bench-diarization` installs the other products, pyannote.metrics, which scores, and
pyroomacoustics, which simulates rooms, into an environment of their own (.venv-diarization).
Recordings are conversations of known voices, real ones (LibriSpeech) and synthetic ones (flite,
espeak-ng), in several forms, and excerpts of real meetings. Products take turns with each
recording, so that the ratio of their times counts whatever else the machine does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from bench.diarization.asking import AnswerError, Asked, asked
from bench.diarization.environment import PYTHON
from bench.diarization.forms import CLEAN
from bench.diarization.products import NOT_RUN, PRODUCTS
from bench.diarization.recordings import Case, Recording, generated, real
from bench.diarization.results import Found, Results, Took
from bench.diarization.scores import Score, labelled, wrong_words
from bench.diarization.sources import MEETINGS, VOICES, NotFetchedError, fetched
from bench.diarization.turns import Turn, read_rttm
from bench.diarization.voices import NoVoicesError, Voice, real_voices, synthetic_voices
from bench.meshes import data_folder
from bench.others import Others
from bench.report import JsonOption, Report, note
from tests.models.voices.flite import FliteMissingError

FORMS = (
    "clean",
    "white30",
    "white20",
    "white10",
    "pink20",
    "babble20",
    "babble10",
    "telephone",
    "voip",
    "far",
)
OVERLAPS = (0.1, 0.2)
SPEAKERS = (2, 3, 4, 6)
KINDS = ("real", "synthetic")
SECONDS, QUICK_SECONDS = 180.0, 60.0
QUICK_FORMS, QUICK_OVERLAPS, QUICK_SPEAKERS = ("clean", "white20", "telephone"), (0.1,), (3,)

SCORE = (str(PYTHON), "-m", "bench.diarization._score")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few short ones, real voices.")] = False,
    kind: Annotated[list[str] | None, typer.Option(help="real or synthetic voices.")] = None,
    form: Annotated[list[str] | None, typer.Option(help=f"{', '.join(FORMS)}.")] = None,
    overlap: Annotated[list[float] | None, typer.Option(help="Shares of overlap, clean.")] = None,
    speakers: Annotated[list[int] | None, typer.Option(help="How many speak.")] = None,
    seconds: Annotated[float | None, typer.Option(help="How long each conversation is.")] = None,
    product: Annotated[list[str] | None, typer.Option(help="Only these products.")] = None,
    known: Annotated[bool, typer.Option(help="Tell products how many speak.")] = False,
    voices: Annotated[Path | None, typer.Option(help="SPEAKER/*.flac or *.wav.")] = None,
    meetings: Annotated[Path | None, typer.Option(help="Real ones: NAME.wav, *.rttm.")] = None,
    rttm: Annotated[list[str] | None, typer.Option(help="NAME=FOLDER: turns found before.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Where the recordings stay.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Prints error rates, counts, times and memory of each product."""
    cases = list(
        _cases(
            kind or (KINDS[:1] if quick else KINDS),
            form or (QUICK_FORMS if quick else FORMS),
            (QUICK_OVERLAPS if quick else OVERLAPS) if overlap is None else overlap,
            speakers or (QUICK_SPEAKERS if quick else SPEAKERS),
            seconds or (QUICK_SECONDS if quick else SECONDS),
        )
    )
    with data_folder() as folder:
        others = Others()
        place = keep or folder
        place.mkdir(parents=True, exist_ok=True)
        recordings = [*_made(cases, voices, place), *_meetings(meetings, quick, folder)]
        results = Results(recordings=recordings, reasons=dict(NOT_RUN))
        _measure(results, product, known, folder)
        for name, _, turns in (each.partition("=") for each in rttm or ()):
            _read(results, name, Path(turns), folder)
    Report(
        bench="diarization",
        measured="Who spoke when: errors in hundredths of the speech, over all recordings.",
        settings={
            "recordings": len(recordings),
            "number of speakers": "known" if known else "not known",
            "share_of_others": round(others.share(), 2),
        },
        figures=results.figures(),
    ).print(as_json)
    if not as_json:
        print(results.table())


def _cases(
    kinds: Sequence[str],
    forms: Sequence[str],
    overlaps: Sequence[float],
    speakers: Sequence[int],
    seconds: float,
) -> Iterator[Case]:
    """All forms with real voices; synthetic ones, which are easier, clean and with noise."""
    said = [*((form, 0.0) for form in forms), *((CLEAN, share) for share in overlaps)]
    for name, (form, share), count in itertools.product(kinds, said, speakers):
        if name == "real" or len(kinds) == 1 or (form in ("clean", "white20") and not share):
            yield Case(voices=name, speakers=count, seconds=seconds, form=form, overlap=share)


def _made(cases: Sequence[Case], folder: Path | None, place: Path) -> Iterator[Recording]:
    for name in dict.fromkeys(case.voices for case in cases):
        own = [case for case in cases if case.voices == name]
        try:
            found = _voices(name, max(case.speakers for case in own), folder)
        except (NotFetchedError, NoVoicesError, FliteMissingError) as missing:
            note(f"no conversations of {name} voices: {missing}")
            continue
        for case in own:
            note(f"making {case.name}")
            yield generated(case, found, place)


def _voices(name: str, count: int, folder: Path | None) -> list[Voice]:
    if name == "synthetic":
        return synthetic_voices(count)
    if folder is None:
        note(f"real voices: {VOICES.licence}, from {VOICES.url}")
    return real_voices(folder or fetched(VOICES), count)


def _meetings(folder: Path | None, quick: bool, copies: Path) -> list[Recording]:
    if quick and folder is None:
        return []
    try:
        if folder is None:
            note(f"real meetings: {MEETINGS.licence}, from {MEETINGS.url}")
        return list(real(folder or fetched(MEETINGS), copies))
    except NotFetchedError as missing:
        note(f"no real meetings: {missing}; --meetings FOLDER takes them from a folder")
        return []


def _measure(results: Results, chosen: Sequence[str] | None, known: bool, folder: Path) -> None:
    with ExitStack() as stack:
        score = stack.enter_context(asked(SCORE, folder / "score.log"))
        running: dict[str, Asked] = {}
        for product in PRODUCTS:
            if chosen and product.name not in chosen:
                continue
            note(f"starting {product.name}")
            process = stack.enter_context(asked(product.command, folder / f"{product.name}.log"))
            try:
                process.answer()
            except AnswerError as failed:
                results.reasons[product.name] = str(failed)
            else:
                running[product.name] = process
                results.found[product.name] = {}
        for recording in results.recordings:
            for name, process in running.items():
                _ask(results, name, process, recording, known, score)


def _ask(
    results: Results, name: str, process: Asked, recording: Recording, known: bool, score: Asked
) -> None:
    count = len(_names(recording.turns)) if known else None
    try:
        answer = process.ask({"path": str(recording.path), "speakers": count})
    except AnswerError as failed:
        note(f"{recording.name}, {name}: {failed}")
        return
    turns = [Turn(start=start, end=end, speaker=by) for start, end, by in answer["turns"]]
    found = Found(
        score=_scored(score, recording, turns),
        took=Took(**{name: answer[name] for name in ("seconds", "processor_seconds", "peak_mb")}),
    )
    results.found[name][recording.name] = found
    note(
        f"{recording.name}, {name}: {100 * found.score.error:.1f} % wrong, "
        f"{found.score.found_speakers} of {found.score.speakers} speakers, "
        f"{answer['seconds']:.1f} s"
    )


def _read(results: Results, name: str, turns: Path, folder: Path) -> None:
    """Scores the RTTM files of a product that ran elsewhere."""
    results.reasons.pop(name, None)
    own = results.found.setdefault(name, {})
    found = {
        title: each
        for path in sorted(turns.glob("*.rttm"))
        for title, each in read_rttm(path).items()
    }
    with asked(SCORE, folder / "score.log") as score:
        for recording in results.recordings:
            if recording.name in found:
                own[recording.name] = Found(score=_scored(score, recording, found[recording.name]))


def _scored(score: Asked, recording: Recording, found: Sequence[Turn]) -> Score:
    question = {
        "truth": [(turn.start, turn.end, turn.speaker) for turn in recording.turns],
        "found": [(turn.start, turn.end, turn.speaker) for turn in found],
        "seconds": recording.seconds,
    }
    return Score(
        **score.ask(question),
        speakers=len(_names(recording.turns)),
        found_speakers=len(_names(found)),
        wrong_words=_wrong_words(recording, found),
    )


def _wrong_words(recording: Recording, found: Sequence[Turn]) -> float | None:
    if not recording.words:
        return None
    if not found:
        return 1.0
    return wrong_words(labelled(recording.words, found), recording.turns)


def _names(turns: Sequence[Turn]) -> set[str]:
    return {turn.speaker for turn in turns}


if __name__ == "__main__":
    app()
