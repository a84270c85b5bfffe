"""One end for each start, none for silence, whatever comes in whatever order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maie_speech.finder import Span
from maie_speech.frames import FRAME_SAMPLES
from maie_speech.turn_machine import PAD_SAMPLES, TurnMachine
from maie_speech.turns import (
    Question,
    Turn,
    TurnCause,
    TurnChange,
    TurnRules,
    question_rules,
    turn_rules,
)
from tests.properties import examples

pytestmark = pytest.mark.unit

STARTED, EAGER_END = TurnChange.STARTED, TurnChange.EAGER_END
RESUMED, ENDED = TurnChange.RESUMED, TurnChange.ENDED
RULES = turn_rules()
ASKING = turn_rules(questions=question_rules())

rules = st.builds(
    turn_rules,
    threshold=st.none() | st.floats(0.05, 0.95),
    min_silence_seconds=st.floats(0.1, 5),
    eager_silence_seconds=st.just(0.0) | st.floats(0.1, 1),
    max_utterance_seconds=st.floats(2, 5),
    by_silence=st.booleans(),
    questions=st.none()
    | st.builds(
        question_rules,
        threshold=st.floats(0.05, 0.95),
        interval_seconds=st.floats(0.05, 1),
        max_silence_seconds=st.floats(0.5, 4),
    ),
)
# Stretches of one probability, as speech and pauses are.
stretch = st.tuples(st.sampled_from([0.0, 0.02, 0.07, 0.2, 0.6, 1.0]), st.integers(1, 80))
frames = st.lists(stretch, max_size=4).map(
    lambda found: [value for value, count in found for _ in range(count)]
)
actions = st.one_of(
    st.tuples(st.just("feed"), frames),
    st.tuples(st.just("silence"), st.integers(0, 2000)),
    st.tuples(st.just("finalize"), st.integers(0, FRAME_SAMPLES - 1)),
    st.tuples(st.just("configure"), rules),
    # To this or an earlier question, or nothing where there was none.
    st.tuples(st.just("answer"), st.tuples(st.integers(1, 4), st.floats(0, 1))),
)


class Run:
    """A machine, and all that it said."""

    def __init__(self, rules: TurnRules, **options: int) -> None:
        self.machine = TurnMachine(rules, **options)
        self.turns: list[Turn] = []
        self.asked: list[Question] = []
        self.settled = [self.machine.settled]

    def act(self, action: tuple[str, object]) -> None:
        name, value = action
        machine = self.machine
        if name == "feed":
            assert isinstance(value, list)
            self.take(
                len(value), lambda left: machine.feed(value[-left:], [False] * len(value[-left:]))
            )
        elif name == "silence":
            assert isinstance(value, int)
            self.take(value, machine.silence)
        elif name == "answer":
            assert isinstance(value, tuple)
            back, probability = value
            if len(self.asked) >= back:
                self.add(machine.answer(self.asked[-back], probability))
        elif name == "finalize":
            assert isinstance(value, int)
            self.add(machine.close(machine.position + value, TurnCause.FINALIZE))
        else:
            assert isinstance(value, TurnRules)
            machine.configure(value)
        self.settled.append(machine.settled)

    def take(self, frames: int, some: Callable[[int], list[Turn]]) -> None:
        """Takes frames, and leaves questions without an answer."""
        end = self.machine.position + frames * FRAME_SAMPLES
        while left := (end - self.machine.position) // FRAME_SAMPLES:
            self.add(some(left))
            if self.machine.question:
                self.asked.append(self.machine.question)

    def add(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            # What can still become a final, or just has.
            assert turn.span.start >= self.settled[-1]
        self.turns += turns

    def finish(self, cause: TurnCause) -> None:
        self.add(self.machine.close(self.machine.position, cause))


def of(turns: Sequence[Turn], *changes: TurnChange) -> list[Turn]:
    return [turn for turn in turns if turn.change in changes]


@given(
    rules,
    st.lists(actions, max_size=12),
    st.integers(0, 5000),
    st.integers(0, 40_000),
    st.sampled_from([TurnCause.TRACK_END, TurnCause.SHUTDOWN]),
)
@settings(max_examples=examples(400))
def test_each_start_has_one_end_whatever_comes(
    rules: TurnRules,
    actions: list[tuple[str, object]],
    start: int,
    settled: int,
    cause: TurnCause,
) -> None:
    run = Run(rules, start=start, settled=settled, number=7)
    for action in actions:
        run.act(action)
    run.finish(cause)
    begun, ended = of(run.turns, STARTED), of(run.turns, ENDED)
    assert [turn.change for turn in of(run.turns, STARTED, ENDED)] == [STARTED, ENDED] * len(begun)
    assert [turn.number for turn in begun] == list(range(7, 7 + len(begun)))
    assert [turn.number for turn in ended] == [turn.number for turn in begun]
    assert [turn.span.start for turn in ended] == [turn.span.start for turn in begun]
    spans = [turn.span for turn in ended]
    assert all(span.start < span.end for span in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    assert all(span.start >= max(start, settled) for span in spans)
    assert run.settled == sorted(run.settled)
    assert all(turn.cause for turn in ended)


@given(rules, st.lists(actions, max_size=12))
@settings(max_examples=examples(400))
def test_an_announced_end_comes_or_speech_goes_on(
    rules: TurnRules, actions: list[tuple[str, object]]
) -> None:
    run = Run(rules)
    for action in actions:
        run.act(action)
    run.finish(TurnCause.TRACK_END)
    announced: Turn | None = None
    for turn in run.turns:
        if turn.change is EAGER_END:
            assert announced is None
            announced = turn
        elif turn.change is RESUMED:
            assert announced is not None
            assert announced.number == turn.number
            announced = None
        elif turn.change is ENDED:
            if announced is not None:
                assert turn.span == announced.span
                assert turn.offset == announced.offset
            announced = None


@given(rules, frames, st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_where_the_frames_are_divided_makes_no_difference(
    rules: TurnRules, probabilities: list[float], sizes: list[int]
) -> None:
    whole, parts = Run(rules), Run(rules)
    whole.act(("feed", probabilities))
    rest, turn = probabilities, 0
    while rest:
        size = sizes[turn % len(sizes)]
        parts.act(("feed", rest[:size]))
        rest, turn = rest[size:], turn + 1
    assert parts.turns == whole.turns
    assert parts.settled[-1] == whole.settled[-1]


@given(rules, st.lists(st.floats(0, 0.049), max_size=400), st.integers(0, 10**9))
def test_silence_is_no_utterance(rules: TurnRules, quiet: list[float], frames: int) -> None:
    run = Run(rules)
    run.act(("feed", quiet))
    run.act(("silence", frames))
    run.act(("finalize", 5))
    run.finish(TurnCause.TRACK_END)
    assert run.turns == []
    assert run.machine.position == (len(quiet) + frames) * FRAME_SAMPLES
    assert run.machine.settled == max(0, run.machine.position - PAD_SAMPLES)


def test_speech_starts_pauses_and_ends() -> None:
    run = Run(RULES)
    run.act(("feed", [0.0] * 20 + [0.9] * 50 + [0.0] * 15))
    started, eager, ended = run.turns
    assert (started.change, eager.change, ended.change) == (STARTED, EAGER_END, ENDED)
    assert started.offset == 20 * FRAME_SAMPLES
    assert started.span.start == 20 * FRAME_SAMPLES - PAD_SAMPLES
    end = 70 * FRAME_SAMPLES
    assert eager.span == ended.span == Span(start=started.span.start, end=end + 6 * FRAME_SAMPLES)
    assert (ended.offset, ended.cause) == (end, TurnCause.SILENCE)
    assert not run.machine.speaking


def test_speech_goes_on_after_an_announced_end() -> None:
    run = Run(RULES)
    run.act(("feed", [0.9] * 50 + [0.0] * 10 + [0.9] * 5))
    assert [turn.change for turn in run.turns] == [STARTED, EAGER_END, RESUMED]
    assert run.machine.speaking


def test_a_click_is_no_utterance() -> None:
    run = Run(RULES)
    run.act(("feed", [0.0] * 10 + [0.9] * 2 + [0.0] * 30))
    assert run.turns == []


def test_long_speech_is_divided_where_it_is_least_probable() -> None:
    run = Run(turn_rules(max_utterance_seconds=2))
    run.act(("feed", [0.9] * 50 + [0.4] + [0.9] * 20))
    started, ended, again = run.turns
    assert (ended.change, ended.cause) == (ENDED, TurnCause.MAX_LENGTH)
    assert 48 * FRAME_SAMPLES <= ended.span.end <= 53 * FRAME_SAMPLES
    assert (again.change, again.number) == (STARTED, started.number + 1)
    assert again.span.start == ended.span.end


def test_without_silence_as_an_end_a_long_pause_is_not_read() -> None:
    run = Run(turn_rules(max_utterance_seconds=2, by_silence=False))
    run.act(("feed", [0.9] * 30 + [0.0] * 60))
    _, ended = run.turns
    assert (ended.change, ended.cause) == (ENDED, TurnCause.MAX_LENGTH)
    assert ended.offset == 30 * FRAME_SAMPLES


def test_rules_change_with_the_next_utterance() -> None:
    run = Run(RULES)
    run.act(("feed", [0.9] * 30))
    run.act(("configure", turn_rules(min_silence_seconds=0.1)))
    run.act(("feed", [0.0] * 10))
    assert not of(run.turns, ENDED)
    run.act(("feed", [0.0] * 10 + [0.9] * 30 + [0.0] * 5))
    assert len(of(run.turns, ENDED)) == 2


def test_settled_speech_begins_no_utterance() -> None:
    run = Run(RULES, settled=40 * FRAME_SAMPLES)
    run.act(("feed", [0.9] * 40))
    assert run.turns == []
    run.act(("feed", [0.9] * 10))
    assert run.turns[0].span.start == 40 * FRAME_SAMPLES


@pytest.mark.parametrize("narrow", [True, False])
def test_telephones_are_listened_to_more_closely(narrow: bool) -> None:
    machine = TurnMachine(RULES)
    assert bool(machine.feed([0.2] * 20, [narrow] * 20)) is narrow


def asking() -> Run:
    """A machine with a question after speech and a pause of 200 ms."""
    run = Run(ASKING)
    run.act(("feed", [0.9] * 50 + [0.0] * 6))
    assert run.asked == [run.machine.question]
    return run


def test_a_model_ends_an_utterance_at_once() -> None:
    run = asking()
    assert run.asked[0].span == Span(start=0, end=56 * FRAME_SAMPLES)
    run.act(("answer", (1, 0.8)))
    ended = run.turns[-1]
    assert (ended.change, ended.cause, ended.confidence) == (ENDED, TurnCause.MODEL, 0.8)
    assert (ended.offset, ended.span.end) == (50 * FRAME_SAMPLES, 56 * FRAME_SAMPLES)
    assert run.machine.question is None


def test_a_model_is_asked_again_while_nobody_speaks_and_then_silence_ends_it() -> None:
    run = asking()
    run.act(("answer", (1, 0.3)))
    run.act(("silence", 200))
    first, second = run.asked[:2]
    assert second.span.end - first.span.end == 7 * FRAME_SAMPLES
    assert len(run.asked) == 13
    ended = run.turns[-1]
    assert (ended.cause, ended.confidence) == (TurnCause.SILENCE, 0.3)
    assert ended.span.end == 56 * FRAME_SAMPLES


def test_the_end_is_the_same_whichever_question_is_answered() -> None:
    early, late = asking(), asking()
    early.act(("answer", (1, 0.9)))
    late.act(("silence", 20))
    late.act(("feed", [0.0]))
    late.act(("answer", (1, 0.9)))
    assert early.turns == late.turns


@pytest.mark.parametrize("then", [("silence", 1), ("feed", [0.9]), ("finalize", 0)])
def test_a_late_answer_is_ignored(then: tuple[str, object]) -> None:
    run = asking()
    question = run.asked[0]
    run.act(then)
    assert run.machine.answer(question, 1.0) == []


def test_an_answer_counts_only_in_its_pause() -> None:
    run = asking()
    run.act(("answer", (1, 0.4)))
    run.act(("feed", [0.9] * 5))
    run.finish(TurnCause.TRACK_END)
    assert [turn.change for turn in run.turns] == [STARTED, EAGER_END, RESUMED, ENDED]
    assert run.turns[-1].confidence is None
