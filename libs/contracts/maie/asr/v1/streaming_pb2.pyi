import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from maie.asr.v1 import asr_pb2 as _asr_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TurnDetector(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TURN_DETECTOR_UNSPECIFIED: _ClassVar[TurnDetector]
    TURN_DETECTOR_VAD: _ClassVar[TurnDetector]
    TURN_DETECTOR_CLIENT: _ClassVar[TurnDetector]
    TURN_DETECTOR_MODEL: _ClassVar[TurnDetector]

class TurnEvent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TURN_EVENT_UNSPECIFIED: _ClassVar[TurnEvent]
    TURN_EVENT_STARTED: _ClassVar[TurnEvent]
    TURN_EVENT_EAGER_END: _ClassVar[TurnEvent]
    TURN_EVENT_RESUMED: _ClassVar[TurnEvent]
    TURN_EVENT_ENDED: _ClassVar[TurnEvent]

class EndReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    END_REASON_UNSPECIFIED: _ClassVar[EndReason]
    END_REASON_SILENCE: _ClassVar[EndReason]
    END_REASON_FINALIZE: _ClassVar[EndReason]
    END_REASON_TRACK_END: _ClassVar[EndReason]
    END_REASON_MAX_LENGTH: _ClassVar[EndReason]
    END_REASON_SHUTDOWN: _ClassVar[EndReason]
    END_REASON_MODEL: _ClassVar[EndReason]
TURN_DETECTOR_UNSPECIFIED: TurnDetector
TURN_DETECTOR_VAD: TurnDetector
TURN_DETECTOR_CLIENT: TurnDetector
TURN_DETECTOR_MODEL: TurnDetector
TURN_EVENT_UNSPECIFIED: TurnEvent
TURN_EVENT_STARTED: TurnEvent
TURN_EVENT_EAGER_END: TurnEvent
TURN_EVENT_RESUMED: TurnEvent
TURN_EVENT_ENDED: TurnEvent
END_REASON_UNSPECIFIED: EndReason
END_REASON_SILENCE: EndReason
END_REASON_FINALIZE: EndReason
END_REASON_TRACK_END: EndReason
END_REASON_MAX_LENGTH: EndReason
END_REASON_SHUTDOWN: EndReason
END_REASON_MODEL: EndReason

class StreamingRecognizeRequest(_message.Message):
    __slots__ = ("config", "audio", "silence", "configure", "finalize", "end")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    SILENCE_FIELD_NUMBER: _ClassVar[int]
    CONFIGURE_FIELD_NUMBER: _ClassVar[int]
    FINALIZE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    config: StreamingConfig
    audio: bytes
    silence: _duration_pb2.Duration
    configure: StreamingOptions
    finalize: StreamingFinalize
    end: StreamingEnd
    def __init__(self, config: _Optional[_Union[StreamingConfig, _Mapping]] = ..., audio: _Optional[bytes] = ..., silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., configure: _Optional[_Union[StreamingOptions, _Mapping]] = ..., finalize: _Optional[_Union[StreamingFinalize, _Mapping]] = ..., end: _Optional[_Union[StreamingEnd, _Mapping]] = ...) -> None: ...

class StreamingConfig(_message.Message):
    __slots__ = ("options", "start_offset", "settled_offset", "next_utterance")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SETTLED_OFFSET_FIELD_NUMBER: _ClassVar[int]
    NEXT_UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    options: StreamingOptions
    start_offset: _duration_pb2.Duration
    settled_offset: _duration_pb2.Duration
    next_utterance: int
    def __init__(self, options: _Optional[_Union[StreamingOptions, _Mapping]] = ..., start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., settled_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., next_utterance: _Optional[int] = ...) -> None: ...

class StreamingOptions(_message.Message):
    __slots__ = ("transcribe", "partials", "turns")
    TRANSCRIBE_FIELD_NUMBER: _ClassVar[int]
    PARTIALS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    transcribe: _asr_pb2.TranscribeOptions
    partials: PartialOptions
    turns: TurnOptions
    def __init__(self, transcribe: _Optional[_Union[_asr_pb2.TranscribeOptions, _Mapping]] = ..., partials: _Optional[_Union[PartialOptions, _Mapping]] = ..., turns: _Optional[_Union[TurnOptions, _Mapping]] = ...) -> None: ...

class PartialOptions(_message.Message):
    __slots__ = ("enabled", "interval", "min_stability")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MIN_STABILITY_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    interval: _duration_pb2.Duration
    min_stability: float
    def __init__(self, enabled: _Optional[bool] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., min_stability: _Optional[float] = ...) -> None: ...

class TurnOptions(_message.Message):
    __slots__ = ("detector", "threshold", "min_silence", "eager_silence", "eager_end", "max_utterance", "end_threshold", "max_silence")
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MIN_SILENCE_FIELD_NUMBER: _ClassVar[int]
    EAGER_SILENCE_FIELD_NUMBER: _ClassVar[int]
    EAGER_END_FIELD_NUMBER: _ClassVar[int]
    MAX_UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    END_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_SILENCE_FIELD_NUMBER: _ClassVar[int]
    detector: TurnDetector
    threshold: float
    min_silence: _duration_pb2.Duration
    eager_silence: _duration_pb2.Duration
    eager_end: bool
    max_utterance: _duration_pb2.Duration
    end_threshold: float
    max_silence: _duration_pb2.Duration
    def __init__(self, detector: _Optional[_Union[TurnDetector, str]] = ..., threshold: _Optional[float] = ..., min_silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., eager_silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., eager_end: _Optional[bool] = ..., max_utterance: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_threshold: _Optional[float] = ..., max_silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamingFinalize(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamingEnd(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamingRecognizeResponse(_message.Message):
    __slots__ = ("ready", "turn", "partial", "final", "progress", "go_away")
    READY_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    GO_AWAY_FIELD_NUMBER: _ClassVar[int]
    ready: StreamingReady
    turn: StreamingTurn
    partial: StreamingPartial
    final: StreamingFinal
    progress: StreamingProgress
    go_away: StreamingGoAway
    def __init__(self, ready: _Optional[_Union[StreamingReady, _Mapping]] = ..., turn: _Optional[_Union[StreamingTurn, _Mapping]] = ..., partial: _Optional[_Union[StreamingPartial, _Mapping]] = ..., final: _Optional[_Union[StreamingFinal, _Mapping]] = ..., progress: _Optional[_Union[StreamingProgress, _Mapping]] = ..., go_away: _Optional[_Union[StreamingGoAway, _Mapping]] = ...) -> None: ...

class StreamingReady(_message.Message):
    __slots__ = ("engine", "punctuated", "options")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    PUNCTUATED_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    engine: _types_pb2.EngineVersion
    punctuated: bool
    options: StreamingOptions
    def __init__(self, engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., punctuated: _Optional[bool] = ..., options: _Optional[_Union[StreamingOptions, _Mapping]] = ...) -> None: ...

class StreamingTurn(_message.Message):
    __slots__ = ("utterance", "event", "offset", "text", "reason", "confidence")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    event: TurnEvent
    offset: _duration_pb2.Duration
    text: str
    reason: EndReason
    confidence: float
    def __init__(self, utterance: _Optional[int] = ..., event: _Optional[_Union[TurnEvent, str]] = ..., offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., text: _Optional[str] = ..., reason: _Optional[_Union[EndReason, str]] = ..., confidence: _Optional[float] = ...) -> None: ...

class StreamingPartial(_message.Message):
    __slots__ = ("utterance", "range", "stable_text", "unstable_text", "stability")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    STABLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    UNSTABLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    range: _types_pb2.TimeRange
    stable_text: str
    unstable_text: str
    stability: float
    def __init__(self, utterance: _Optional[int] = ..., range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., stable_text: _Optional[str] = ..., unstable_text: _Optional[str] = ..., stability: _Optional[float] = ...) -> None: ...

class StreamingFinal(_message.Message):
    __slots__ = ("utterance", "range", "text", "words", "confidence", "language_code", "reason", "latency")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    range: _types_pb2.TimeRange
    text: str
    words: _containers.RepeatedCompositeFieldContainer[_types_pb2.Word]
    confidence: float
    language_code: str
    reason: EndReason
    latency: _duration_pb2.Duration
    def __init__(self, utterance: _Optional[int] = ..., range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., text: _Optional[str] = ..., words: _Optional[_Iterable[_Union[_types_pb2.Word, _Mapping]]] = ..., confidence: _Optional[float] = ..., language_code: _Optional[str] = ..., reason: _Optional[_Union[EndReason, str]] = ..., latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamingProgress(_message.Message):
    __slots__ = ("received_offset", "settled_offset", "behind", "partial_thinning")
    RECEIVED_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SETTLED_OFFSET_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_THINNING_FIELD_NUMBER: _ClassVar[int]
    received_offset: _duration_pb2.Duration
    settled_offset: _duration_pb2.Duration
    behind: _duration_pb2.Duration
    partial_thinning: int
    def __init__(self, received_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., settled_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., behind: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., partial_thinning: _Optional[int] = ...) -> None: ...

class StreamingGoAway(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
