"""The options of a track after changes."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import streaming_pb2 as streaming
from maie.live.v1 import live_pb2 as live
from maie_core.errors import StageError
from maie_core.live_options import check_live_transcribe
from maie_core.reasons import Reason
from maie_gateway.live.options import ChangedOptions, merged

pytestmark = pytest.mark.unit

HALF_A_SECOND = Duration(nanos=500_000_000)
A_SECOND = Duration(seconds=1)


def test_a_duration_takes_the_place_of_the_one_before() -> None:
    before = streaming.StreamingOptions(turns={"min_silence": HALF_A_SECOND})
    change = streaming.StreamingOptions(turns={"min_silence": A_SECOND})
    assert merged(before, change).turns.min_silence == A_SECOND
    assert before.turns.min_silence == HALF_A_SECOND


def test_a_change_is_stronger_than_the_config_and_leaves_the_rest() -> None:
    config = live.SessionConfig(
        turns={"min_silence": HALF_A_SECOND, "max_utterance": {"seconds": 10}}
    )
    change = live.ConfigureSession(options={"turns": {"min_silence": A_SECOND}})
    options = ChangedOptions().with_change(change).of(config, live.TrackJoin(track="host"))
    assert options.turns.min_silence == A_SECOND
    assert options.turns.max_utterance.seconds == 10


def test_hotwords_take_the_place_of_those_before() -> None:
    before = streaming.StreamingOptions(transcribe={"hotwords": ["maie", "Riva"]})
    change = streaming.StreamingOptions(transcribe={"hotwords": ["Deepgram"]})
    assert list(merged(before, change).transcribe.hotwords) == ["Deepgram"]


def test_what_the_asr_service_would_refuse_is_refused_before_a_session_begins() -> None:
    options = asr.TranscribeOptions(decoding={"condition_on_previous_text": False})
    with pytest.raises(StageError) as refused:
        check_live_transcribe(options, "config.job.asr_options")
    assert refused.value.reason == Reason.OPTION_NOT_SUPPORTED
    assert refused.value.field == "config.job.asr_options.decoding.condition_on_previous_text"
