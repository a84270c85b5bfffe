"""What ends utterances: the options are checked, and what a replica says of an end is passed on."""

from __future__ import annotations

from typing import Any

import pytest

from maie.asr.v1 import streaming_pb2 as asr
from maie_core.errors import StageError
from maie_core.live_options import check_turns
from maie_core.reasons import Reason
from maie_gateway.live.events import TrackEvents

pytestmark = pytest.mark.unit


def test_the_confidence_of_an_end_is_passed_on() -> None:
    events = TrackEvents("room", 1, 0, 0)
    end = asr.StreamingTurn(
        utterance=3, event=asr.TURN_EVENT_ENDED, reason=asr.END_REASON_MODEL, confidence=0.75
    )
    turn = events.turn(end).turn
    assert (turn.utterance_id, turn.reason, turn.confidence) == (
        "t01-u0003",
        asr.END_REASON_MODEL,
        0.75,
    )
    end.ClearField("confidence")
    assert not events.turn(end).turn.HasField("confidence")


@pytest.mark.parametrize(
    "options",
    [
        {"end_threshold": 0.96},
        {"max_silence": {"seconds": 11}},
        {"max_silence": {}},
        {"detector": 9},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(StageError) as raised:
        check_turns(asr.TurnOptions(**options), "config.turns")
    assert raised.value.reason == Reason.OPTION_OUT_OF_RANGE


def test_a_model_may_be_asked_for() -> None:
    options = asr.TurnOptions(detector=asr.TURN_DETECTOR_MODEL, end_threshold=0.5)
    options.max_silence.FromMilliseconds(500)
    check_turns(options, "config.turns")
