"""The tiny Whisper is whole and knows its sentences, and its scripts find words in speech."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from maie_core.models import refuse_pickles, verify_directory
from tests.models.voices import MODEL, SENTENCES, flite, tokens
from tests.models.voices.alignment import align
from tests.models.voices.flite import FliteMissingError, Manner, Phone
from tests.models.voices.takes import TRAINED, UNSEEN, Take, Word, voice
from tests.models.voices.targets import IGNORED, Targets
from tests.models.voices.tokens import TIMESTAMPS, Vocabulary
from tests.models.voices.windows import WHOLE, Mixture, Windows

pytestmark = pytest.mark.unit

RETRAIN = (
    "the sentences have changed: train the model anew, see tests/models/tiny-whisper/README.md"
)
TALK = Mixture(silent=0.0, noisy=0.0, short=0.0, prompted=0.5, talkative=0.5)
NOBODY = Mixture(silent=1.0, noisy=1.0, short=0.0, prompted=0.0, talkative=0.0)


@pytest.fixture(name="vocabulary", scope="module")
def make_vocabulary() -> Vocabulary:
    return Vocabulary(tokens.build())


@pytest.fixture(name="takes", scope="module")
def make_takes() -> list[Take]:
    """Hums in place of voices, a tenth of a second for each letter."""
    return [hum(sentence) for sentence in SENTENCES]


def hum(sentence: str) -> Take:
    words, phones, at = [], [Phone(name="pau", start=0.0, end=0.2)], 0.2
    for text in sentence.split():
        words.append(Word(text=text, start=at, end=at + 0.1 * len(text)))
        phones.append(Phone(name=text[0], start=at, end=words[-1].end))
        at = words[-1].end
    samples = np.full(round(at * flite.SAMPLE_RATE), 3000, np.int16)
    manner = Manner(voice="hum")
    return Take(sentence=sentence, manner=manner, samples=samples, phones=phones, words=words)


def phones_of(*names: str) -> list[Phone]:
    """Phones of a tenth of a second each."""
    return [Phone(name=name, start=at / 10, end=(at + 1) / 10) for at, name in enumerate(names)]


def test_the_model_is_what_its_manifest_says() -> None:
    refuse_pickles(MODEL)
    assert "model.bin" in verify_directory(MODEL).files


def test_the_sentences_make_the_tokens_of_the_model(vocabulary: Vocabulary) -> None:
    kept = json.loads((MODEL / "vocabulary.json").read_text())
    assert [vocabulary.tokenizer.id_to_token(at) for at in range(len(kept))] == kept, RETRAIN
    assert vocabulary.size == len(kept)
    tokenizer = json.loads((MODEL / "tokenizer.json").read_text())
    assert json.loads(vocabulary.tokenizer.to_str()) == tokenizer, RETRAIN


def test_the_model_knows_every_sentence_by_tokens_that_occur(vocabulary: Vocabulary) -> None:
    assert len(set(SENTENCES)) == len(SENTENCES) == 60
    for sentence in SENTENCES:
        words = tuple(sentence.split())
        numbers, owners = vocabulary.encode(words)
        assert max(numbers) < vocabulary.texts
        assert vocabulary.tokenizer.decode(numbers) == f" {sentence}"
        assert owners == sorted(owners)
        assert set(owners) == set(range(len(words)))


def test_only_tokens_without_a_use_share_an_embedding(vocabulary: Vocabulary) -> None:
    rows = vocabulary.rows()
    used = [*range(vocabulary.texts), *(vocabulary.special(each) for each in tokens.LEARNED)]
    assert len({rows[number] for number in used}) == len(used)
    assert {rows[number] for number in set(range(len(rows))) - set(used)} == {max(rows)}
    assert len(rows) + TIMESTAMPS == vocabulary.size


def test_times_have_tokens_up_to_thirty_seconds(vocabulary: Vocabulary) -> None:
    content = vocabulary.tokenizer.id_to_token
    assert content(vocabulary.timestamp(1.289)) == "<|1.28|>"
    assert content(vocabulary.timestamp(-0.4)) == "<|0.00|>"
    assert content(vocabulary.timestamp(31.0)) == "<|30.00|>"


def test_words_are_found_where_they_were_said() -> None:
    phones = phones_of("pau", "g", "uh", "d", "pau", "m", "ao", "pau")
    assert align([["g", "uh", "d"], ["m", "ao"]], phones) == [(0.1, 0.4), (0.5, 0.7)]


def test_words_are_found_though_sounds_change_vanish_and_come() -> None:
    # "the" has another vowel, "and" lost its last sound, "we" has one more.
    phones = phones_of("dh", "ax", "ae", "n", "w", "iy", "y")
    spans = align([["dh", "iy"], ["ae", "n", "d"], ["w", "iy"]], phones)
    assert spans == [(0.0, 0.2), (0.2, 0.4), (0.4, 0.7)]


def test_a_word_that_was_not_said_is_an_error() -> None:
    with pytest.raises(ValueError, match="word 1 was not found"):
        align([["g"], ["m"]], phones_of("g"))


def test_windows_hold_what_they_say(takes: list[Take]) -> None:
    windows = Windows(takes=takes, chance=np.random.default_rng(5))
    for is_cut in (False, True) * 10:
        window = windows.draw(WHOLE, TALK, is_cut=is_cut)
        assert window.turns
        assert np.abs(window.samples).max() <= 1
        for turn in window.turns:
            for word in turn.words:
                sound = windows.inventory.index(word.text[0])
                middle = int((word.start + word.end) / 2 / 0.02)
                assert window.phones[min(middle, WHOLE - 1)] == sound
        assert not any(turn.is_open for turn in window.turns[:-1])
        assert is_cut or not window.turns[-1].is_open


def test_targets_write_what_is_said_and_look_where_it_is_heard(
    takes: list[Take], vocabulary: Vocabulary
) -> None:
    chance = np.random.default_rng(6)
    windows = Windows(takes=takes, chance=chance)
    targets = Targets(vocabulary=vocabulary, chance=chance)
    for _ in range(20):
        turns = windows.draw(400, TALK, is_cut=False).turns
        target = targets.draw(turns, 100, TALK)
        assert len(target.inputs) == len(target.labels) == len(target.guides)
        language, *written = [label for label in target.labels if label != IGNORED]
        assert language == vocabulary.special("<|en|>")
        assert written[-1] == vocabulary.end
        said = " ".join(word.text for turn in turns for word in turn.words)
        assert vocabulary.tokenizer.decode(written).strip() == said
        # What is read is what was to be written one step before.
        asked = len(target.labels) - len(written)
        assert target.inputs[asked + 1 :] == target.labels[asked:-1]
        texts = [at for at, label in enumerate(target.labels) if 0 <= label < vocabulary.texts]
        assert all(target.guides[at] for at in texts)


def test_nothing_is_written_where_nobody_speaks(takes: list[Take], vocabulary: Vocabulary) -> None:
    chance = np.random.default_rng(7)
    window = Windows(takes=takes, chance=chance).draw(300, NOBODY, is_cut=False)
    assert not window.turns
    assert not window.phones.any()
    target = Targets(vocabulary=vocabulary, chance=chance).draw(window.turns, 0, NOBODY)
    language, *written = [label for label in target.labels if label != IGNORED]
    assert language == vocabulary.special("<|nospeech|>")
    assert written[-1] == vocabulary.end
    assert not any(label < vocabulary.texts for label in written)


def test_what_is_measured_was_never_heard() -> None:
    assert not set(TRAINED) & set(UNSEEN)
    assert {manner.voice for manner in TRAINED} == {manner.voice for manner in UNSEEN}


def test_without_flite_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FliteMissingError, match="apt install flite"):
        flite.check({"awb"})


def test_a_voice_that_flite_lacks_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "flite"
    other.write_text(f"#!{sys.executable}\nprint('Voices available: kal awb')\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FliteMissingError, match="lacks the voices rms"):
        flite.check({"awb", "rms"})


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_flite_says_words_one_after_another() -> None:
    take = voice("Let's start the meeting.", Manner(voice="awb"))
    assert [word.text for word in take.words] == ["Let's", "start", "the", "meeting."]
    ends = [moment for word in take.words for moment in (word.start, word.end)]
    assert ends == sorted(ends)
    assert 0 < ends[-1] < len(take.samples) / flite.SAMPLE_RATE
