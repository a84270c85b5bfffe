"""The bench of diarization knows who speaks when, and what a mistake costs."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.diarization.__main__ import SCORE
from bench.diarization.asking import AnswerError, asked
from bench.diarization.conversation import converse, sound_of, turns_of
from bench.diarization.environment import PYTHON
from bench.diarization.forms import in_form
from bench.diarization.phrases import Phrase, phrases
from bench.diarization.recordings import Case, Recording, generated, real
from bench.diarization.results import Found, Results, Took
from bench.diarization.scores import LabelledWord, Score, labelled, together, wrong_words
from bench.diarization.turns import Turn, overlap_share, read_rttm, speech_seconds, write_rttm
from bench.diarization.voices import NoVoicesError, Voice, decoded, real_voices
from bench.readings import DATA, SAMPLE_RATE, SpokenWord

pytestmark = pytest.mark.unit


def turn(start: float, end: float, speaker: str) -> Turn:
    return Turn(start=start, end=end, speaker=speaker)


def word(start: float, end: float, speaker: str) -> LabelledWord:
    return LabelledWord(start=start, end=end, speaker=speaker)


def score(**changed: float) -> Score:
    right = {"speech": 10.0, "missed": 0.0, "false_alarm": 0.0, "confusion": 0.0}
    counts = {"speakers": 2, "found_speakers": 2}
    return Score(**{**right, "collar": 0.0, "jaccard": 0.0, **counts, **changed})  # type: ignore[arg-type]


def tone(hertz: float, seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.1 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def voice(name: str, hertz: float) -> Voice:
    """Says phrases of 1 to 5 s."""
    lengths = (1.0, 1.4, 2.0, 2.7, 3.5, 5.0)
    return Voice(name=name, phrases=tuple(Phrase(audio=tone(hertz, each)) for each in lengths))


VOICES = [voice(name, 300 + 200 * place) for place, name in enumerate("abcdef")]
TRUTH = [turn(0, 2, "a"), turn(2, 4, "b"), turn(5, 6, "a")]


def test_speech_counts_once_where_two_speak() -> None:
    turns = [turn(0, 4, "a"), turn(3, 5, "b"), turn(7, 8, "a")]
    assert speech_seconds(turns) == 6
    assert speech_seconds(turns, speakers=2) == 1
    assert overlap_share(turns) == pytest.approx(1 / 6)
    assert overlap_share([]) == 0


def test_rttm_keeps_turns_of_several_recordings(tmp_path: Path) -> None:
    path = tmp_path / "talk.rttm"
    write_rttm(path, TRUTH[::-1])
    with path.open("a") as file:
        file.write(";; a remark\nSPEAKER other 1 1.5 0.5 <NA> <NA> c <NA> <NA>\n")
    assert read_rttm(path) == {"talk": TRUTH, "other": [turn(1.5, 2, "c")]}


def test_rttm_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "talk.rttm"
    path.write_text("SPEAKER talk 1 0 two\n")
    with pytest.raises(ValueError, match="line 1 is no turn"):
        read_rttm(path)


@given(count=st.integers(2, 6), overlap=st.sampled_from([0.0, 0.1, 0.2]), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_conversations_have_the_speakers_and_the_overlap_that_are_asked_for(
    count: int, overlap: float, seed: int
) -> None:
    said = converse(VOICES[:count], 180, overlap, seed)
    turns = turns_of(said)
    assert {each.speaker for each in turns} == {each.name for each in VOICES[:count]}
    assert overlap_share(turns) == pytest.approx(overlap, abs=0.06 if overlap else 0)
    assert speech_seconds(turns, speakers=3) == 0
    assert 150 * (1 - overlap) < max(each.end for each in turns) <= 180


def test_nobody_overlaps_their_own_speech() -> None:
    said = converse(VOICES[:3], 180, 0.2, 5)
    for name in "abc":
        own = sorted(each for each in turns_of(said) if each.speaker == name)
        assert all(first.end < second.start for first, second in pairwise(own))


def test_the_same_arguments_give_the_same_files(tmp_path: Path) -> None:
    case = Case(voices="real", speakers=2, seconds=20, form="babble10")
    made = [generated(case, VOICES, tmp_path / name) for name in _folders(tmp_path)]
    assert made[0].path.read_bytes() == made[1].path.read_bytes()
    assert made[0].turns == made[1].turns
    assert read_rttm(made[0].path.with_suffix(".rttm"))[case.name] == [
        turn(round(each.start, 3), pytest.approx(each.end, abs=2e-3), each.speaker)  # type: ignore[arg-type]
        for each in made[0].turns
    ]


def _folders(place: Path) -> list[str]:
    for name in ("first", "second"):
        (place / name).mkdir()
    return ["first", "second"]


def test_there_is_sound_where_the_truth_has_turns_and_nowhere_else() -> None:
    said = converse(VOICES[:4], 60, 0.1, 3)
    sound = sound_of(said, 60, 3)
    spoken = np.zeros(len(sound), bool)
    for each in turns_of(said):
        spoken[round(each.start * SAMPLE_RATE) : round(each.end * SAMPLE_RATE)] = True
    assert np.mean(sound[spoken] ** 2) > 1e-3
    assert np.sqrt(np.mean(sound[~spoken] ** 2)) < 2e-4


@pytest.mark.parametrize("form", ["white20", "pink20", "babble20"])
def test_noise_is_as_loud_as_its_name_says(form: str) -> None:
    said = converse(VOICES[:2], 30, 0, 1)
    clean, turns = sound_of(said, 30, 1), turns_of(said)
    noise = in_form(form, clean, turns, VOICES, 1) - clean
    spoken = np.concatenate(
        [clean[round(each.start * SAMPLE_RATE) : round(each.end * SAMPLE_RATE)] for each in turns]
    )
    assert 10 * np.log10(np.mean(spoken**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.5)


def test_a_form_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no form 'white'; there are clean, telephone, voip, far"):
        in_form("white", np.ones(SAMPLE_RATE, np.float32), [], VOICES, 1)


def test_an_utterance_is_cut_at_its_pauses_with_its_words() -> None:
    silence = np.zeros(SAMPLE_RATE // 2, np.float32)
    audio = np.concatenate([silence, tone(500, 1), silence, tone(500, 2), silence])
    said = [
        SpokenWord(text=text, start=at, end=at + 0.4) for text, at in (("one", 0.6), ("two", 2.5))
    ]
    first, second = phrases(audio, said)
    assert first.seconds == pytest.approx(1, abs=0.12)
    assert second.seconds == pytest.approx(2, abs=0.12)
    assert [[each.text for each in part.words] for part in (first, second)] == [["one"], ["two"]]
    assert second.words[0].start == pytest.approx(0.5, abs=0.06)


def test_a_folder_of_speakers_is_voices_at_one_level(tmp_path: Path) -> None:
    (tmp_path / "reader").mkdir()
    for path in sorted((DATA / "librivox").glob("*.flac"))[:2]:
        (tmp_path / "reader" / path.name).write_bytes(path.read_bytes())
    (reader,) = real_voices(tmp_path, 1)
    assert reader.name == "reader"
    power = np.mean([np.mean(each.audio**2) for each in reader.phrases])
    assert 10 * np.log10(power) == pytest.approx(-26, abs=0.1)
    with pytest.raises(NoVoicesError, match="has 1 folders of speakers, and 2 are needed"):
        real_voices(tmp_path, 2)


def test_real_recordings_are_those_with_turns(tmp_path: Path) -> None:
    flac = next((DATA / "librivox").glob("*.flac"))
    for name in ("talk", "other"):
        (tmp_path / f"{name}.flac").write_bytes(flac.read_bytes())
    write_rttm(tmp_path / "talk.rttm", TRUTH[:1])
    (copies := tmp_path / "copies").mkdir()
    (found,) = real(tmp_path, copies)
    assert (found.name, found.turns) == ("talk", (TRUTH[0],))
    assert len(decoded(found.path)) == round(found.seconds * SAMPLE_RATE)


def test_a_score_is_the_sum_of_its_parts() -> None:
    wrong = score(missed=1.0, false_alarm=0.5, confusion=0.5, found_speakers=4)
    assert wrong.error == 0.2
    assert wrong.miscount == 2


def test_recordings_count_by_their_speech() -> None:
    long = score(speech=30.0, confusion=3.0, collar=0.05)
    sums = together([score(missed=1.0, found_speakers=1), long])
    assert sums.error == pytest.approx(4 / 40)
    assert sums.collar == pytest.approx(0.05 * 30 / 40)
    assert (sums.counted, sums.miscount) == (1, 0.5)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ([word(0, 1, "x"), word(1, 2, "x"), word(2, 3, "y"), word(5, 6, "x")], 0),
        ([word(0, 1, "x"), word(1, 2, "x"), word(2, 3, "x"), word(5, 6, "x")], 1 / 4),
        # A third name stands for nobody.
        ([word(0, 1, "x"), word(1, 2, "z"), word(2, 3, "y"), word(5, 6, "x")], 1 / 4),
        # Most of the first is a's; nobody speaks in the second.
        ([word(1.5, 2.2, "x"), word(4.2, 4.8, "y"), word(2, 3, "y")], 0),
        # y is b, although x agrees with b twice: of three words, two are right.
        ([word(2, 3, "x"), word(3, 4, "x"), word(2, 4, "y"), word(0, 1, "y")], 1 / 4),
        ([], 0),
    ],
)
def test_words_are_wrong_where_their_speaker_is(words: list[LabelledWord], wrong: float) -> None:
    assert wrong_words(words, TRUTH) == pytest.approx(wrong)


def test_words_go_to_the_turn_that_has_most_of_them_or_is_nearest() -> None:
    spoken = [SpokenWord(text="", start=at, end=at + 0.5) for at in (1.6, 4.1, 9.0)]
    assert [each.speaker for each in labelled(spoken, TRUTH)] == ["a", "b", "a"]


def test_the_table_sums_up_groups_and_names_who_did_not_run(tmp_path: Path) -> None:
    recordings = [
        Recording(name=name, group="clean", path=tmp_path, turns=tuple(TRUTH), seconds=10)
        for name in ("one", "two")
    ]
    results = Results(recordings=recordings, reasons={"other": "no weights"})
    results.found["maie"] = {
        "one": found(2, confusion=1.0, wrong_words=0.1),
        "two": found(1, speech=30.0, found_speakers=3),
    }
    results.found["peer"] = {"two": found(4)}
    _, _, ours, its, _, reason = results.table().splitlines()
    assert ours == (
        "| clean | maie | 2.5 % | 0.0 % | 0.0 % | 2.5 % | 0.0 % | 0.0 % | 10.0 % | 1 of 2 | 0.5 "
        "| 0.150 | 0.300 | 100 MB |"
    )
    assert "| 1 of 2, 1 failed |" in its
    assert reason == "- other did not run: no weights."
    figures = {figure.name: figure.value for figure in results.figures()}
    assert figures["maie: error"] == pytest.approx(2.5)
    assert figures["peer: its time over maie's"] == 4


def found(seconds: float, **changed: float) -> Found:
    took = Took(seconds=seconds, processor_seconds=2 * seconds, peak_mb=100)
    return Found(score=score(**changed), took=took)


PRODUCT = """
from bench.diarization.serving import serve
def load():
    def listen(path, speakers):
        print("what a product prints is no answer")
        if speakers == 0:
            raise ValueError("nobody\\nat all")
        return [(0, 1.5, path)]
    return listen
serve(load)
"""


def test_a_product_answers_with_turns_time_and_memory(tmp_path: Path) -> None:
    with asked((sys.executable, "-c", PRODUCT), tmp_path / "log") as product:
        assert product.answer() == {}
        answer = product.ask({"path": "talk.wav", "speakers": None})
        assert answer["turns"] == [[0, 1.5, "talk.wav"]]
        assert 0 <= answer["seconds"] < 60
        assert 1 < answer["peak_mb"] < 1000
        with pytest.raises(AnswerError, match=r"^ValueError: nobody$"):
            product.ask({"path": "talk.wav", "speakers": 0})
        assert product.ask({"path": "next.wav", "speakers": 2})["turns"]


def test_a_product_that_ends_says_its_last_words(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import nothing_of_this_name")
    with asked(command, tmp_path / "log") as product:
        with pytest.raises(AnswerError, match="It ended: ModuleNotFoundError"):
            product.answer()
        with pytest.raises(AnswerError, match="It ended"):
            product.ask({"path": "talk.wav", "speakers": None})


@pytest.mark.skipif(not PYTHON.exists(), reason="`make bench-diarization` makes .venv-diarization")
def test_pyannote_metrics_scores_what_is_wrong(tmp_path: Path) -> None:
    truth = [(0, 4, "a"), (4, 8, "b"), (7, 9, "a")]
    # From 4 to 5 it is the wrong one, from 7 to 8 one of two is missed, from 9 on nobody speaks.
    found = [(0, 5, "x"), (5, 8, "y"), (8, 10, "x")]
    question = {"truth": truth, "found": found, "seconds": 12}
    with asked(SCORE, tmp_path / "log") as score:
        parts = score.ask(question)
        assert (parts["speech"], parts["missed"], parts["false_alarm"]) == (10, 1, 1)
        assert parts["confusion"] == 1
        assert score.ask({**question, "found": json.loads(json.dumps(truth))})["jaccard"] == 0
