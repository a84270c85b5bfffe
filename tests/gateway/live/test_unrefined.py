"""Which finals are refined together, with what before and after them."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live
from maie_gateway.live.refinement.unrefined import MOST_AT_ONCE, Batch, Unrefined

pytestmark = pytest.mark.unit

TRACKS = {"ann": 1, "bob": 2}


def final(name: str, number: int, language: str = "en") -> live.Final:
    track = TRACKS[name]
    segment = common.Segment(segment_id=f"t{track:02d}-u{number:04d}", text="so", track=track)
    return live.Final(track=name, segment=segment, language_code=language)


def waiting(*finals: live.Final) -> Unrefined:
    made = Unrefined()
    for each in finals:
        made = made.with_final(each)
    return made


def refined(unrefined: Unrefined, of: live.Final, tracks: Collection[int] = (1, 2)) -> Unrefined:
    name = of.segment.segment_id
    made = live.Refinement(track=of.track, utterance_id=name, clean_text="So")
    after = unrefined.with_refinement(made, tracks)
    assert after is not None
    return after


def ids(batch: Batch | None) -> tuple[list[str], str]:
    """The finals of a batch, and the one after them."""
    assert batch is not None
    after = batch.after.segment.segment_id if batch.after is not None else ""
    return [each.segment.segment_id for each in batch.finals], after


def nothing(_: live.Final) -> bool:
    return False


def everything(_: live.Final) -> bool:
    return True


def test_a_final_waits_for_the_next_of_its_own_track() -> None:
    assert waiting().batch(everything, ()) is None
    assert waiting(final("ann", 1), final("bob", 1)).batch(nothing, ()) is None
    two = waiting(final("ann", 1), final("bob", 1), final("ann", 2))
    assert ids(two.batch(nothing, ())) == (["t01-u0001"], "t01-u0002")


def test_one_that_is_due_is_refined_without_the_next() -> None:
    two = waiting(final("ann", 1), final("bob", 1))
    assert ids(two.batch(lambda each: each.track == "bob", ())) == (["t02-u0001"], "")


def test_the_track_that_waits_longest_comes_first() -> None:
    three = waiting(final("bob", 1), final("ann", 1), final("bob", 2))
    assert ids(three.batch(everything, ())) == (["t02-u0001", "t02-u0002"], "")


def test_another_language_ends_what_is_refined_together() -> None:
    two = waiting(final("ann", 1, "en"), final("ann", 2, "de"))
    batch = two.batch(nothing, ())
    assert ids(batch) == (["t01-u0001"], "")
    assert batch is not None
    assert batch.request(None).transcript.language_code == "en"


def test_many_finals_are_refined_in_parts() -> None:
    many = waiting(*(final("ann", number) for number in range(1, MOST_AT_ONCE + 3)))
    batch, after = ids(many.batch(everything, ()))
    assert (len(batch), after) == (MOST_AT_ONCE, f"t01-u{MOST_AT_ONCE + 1:04d}")


def test_what_is_left_to_the_job_is_passed_over() -> None:
    three = waiting(*(final("ann", number) for number in (1, 2, 3)))
    assert ids(three.batch(everything, {"t01-u0001"})) == (["t01-u0002", "t01-u0003"], "")


def test_the_refined_text_before_is_asked_with_it() -> None:
    first, second = final("ann", 1), final("ann", 2)
    unrefined = refined(waiting(first, second), first)
    batch = unrefined.batch(everything, ())
    assert batch is not None
    generation = common.GenerationOptions(seed=7)
    request = batch.request(generation)
    assert [each.clean_text for each in request.transcript.segments] == ["So", ""]
    assert not request.transcript.segments[1].HasField("clean_text")
    assert request.generation == generation


def test_the_text_of_a_track_that_is_over_is_kept_as_long_as_it_is_needed() -> None:
    first, second = final("ann", 1), final("ann", 2)
    unrefined = refined(waiting(first, second), first).kept(())
    assert unrefined.before.keys() == {(1, 0)}
    assert not refined(unrefined, second, ()).before


def test_the_channels_of_a_track_are_refined_apart() -> None:
    left, right, again = final("ann", 1), final("ann", 2), final("ann", 3)
    for each, channel in ((left, 1), (right, 2), (again, 1)):
        each.segment.channel = channel
    unrefined = waiting(left, right, again)
    assert ids(unrefined.batch(nothing, ())) == (["t01-u0001"], "t01-u0003")
    unrefined = refined(unrefined, left)
    second = unrefined.batch(everything, ("t01-u0003",))
    # What the other one said is not before it.
    assert ids(second) == (["t01-u0002"], "")
    assert second is not None
    assert second.before is None
    third = unrefined.batch(everything, ("t01-u0002",))
    assert third is not None
    assert third.before is not None
    assert third.before.segment_id == "t01-u0001"
