import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.diarization.v1 import diarization_pb2 as _diarization_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamingDiarizeRequest(_message.Message):
    __slots__ = ("config", "audio", "silence", "end")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    SILENCE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    config: StreamingDiarizeConfig
    audio: bytes
    silence: _duration_pb2.Duration
    end: StreamingDiarizeEnd
    def __init__(self, config: _Optional[_Union[StreamingDiarizeConfig, _Mapping]] = ..., audio: _Optional[bytes] = ..., silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[StreamingDiarizeEnd, _Mapping]] = ...) -> None: ...

class StreamingDiarizeConfig(_message.Message):
    __slots__ = ("start_offset", "known", "max_speaker_count")
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    MAX_SPEAKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    start_offset: _duration_pb2.Duration
    known: KnownSpeakers
    max_speaker_count: int
    def __init__(self, start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., known: _Optional[_Union[KnownSpeakers, _Mapping]] = ..., max_speaker_count: _Optional[int] = ...) -> None: ...

class KnownSpeakers(_message.Message):
    __slots__ = ("embedding_space", "speakers", "next_number", "same_person")
    EMBEDDING_SPACE_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SAME_PERSON_FIELD_NUMBER: _ClassVar[int]
    embedding_space: str
    speakers: _containers.RepeatedCompositeFieldContainer[KnownSpeaker]
    next_number: int
    same_person: float
    def __init__(self, embedding_space: _Optional[str] = ..., speakers: _Optional[_Iterable[_Union[KnownSpeaker, _Mapping]]] = ..., next_number: _Optional[int] = ..., same_person: _Optional[float] = ...) -> None: ...

class KnownSpeaker(_message.Message):
    __slots__ = ("speaker", "embedding", "clean_duration")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    CLEAN_DURATION_FIELD_NUMBER: _ClassVar[int]
    speaker: str
    embedding: bytes
    clean_duration: _duration_pb2.Duration
    def __init__(self, speaker: _Optional[str] = ..., embedding: _Optional[bytes] = ..., clean_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamingDiarizeEnd(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamingDiarizeResponse(_message.Message):
    __slots__ = ("ready", "turns", "update", "known", "progress", "go_away")
    READY_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    GO_AWAY_FIELD_NUMBER: _ClassVar[int]
    ready: StreamingDiarizeReady
    turns: StreamingTurns
    update: StreamingSpeakerUpdate
    known: KnownSpeakers
    progress: StreamingDiarizeProgress
    go_away: StreamingDiarizeGoAway
    def __init__(self, ready: _Optional[_Union[StreamingDiarizeReady, _Mapping]] = ..., turns: _Optional[_Union[StreamingTurns, _Mapping]] = ..., update: _Optional[_Union[StreamingSpeakerUpdate, _Mapping]] = ..., known: _Optional[_Union[KnownSpeakers, _Mapping]] = ..., progress: _Optional[_Union[StreamingDiarizeProgress, _Mapping]] = ..., go_away: _Optional[_Union[StreamingDiarizeGoAway, _Mapping]] = ...) -> None: ...

class StreamingDiarizeReady(_message.Message):
    __slots__ = ("engine",)
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    engine: _types_pb2.EngineVersion
    def __init__(self, engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ...) -> None: ...

class StreamingTurns(_message.Message):
    __slots__ = ("turns", "settled_offset")
    TURNS_FIELD_NUMBER: _ClassVar[int]
    SETTLED_OFFSET_FIELD_NUMBER: _ClassVar[int]
    turns: _containers.RepeatedCompositeFieldContainer[_diarization_pb2.SpeakerTurn]
    settled_offset: _duration_pb2.Duration
    def __init__(self, turns: _Optional[_Iterable[_Union[_diarization_pb2.SpeakerTurn, _Mapping]]] = ..., settled_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamingSpeakerUpdate(_message.Message):
    __slots__ = ("old", "new")
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    old: str
    new: str
    def __init__(self, old: _Optional[str] = ..., new: _Optional[str] = ...) -> None: ...

class StreamingDiarizeProgress(_message.Message):
    __slots__ = ("received_offset", "settled_offset")
    RECEIVED_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SETTLED_OFFSET_FIELD_NUMBER: _ClassVar[int]
    received_offset: _duration_pb2.Duration
    settled_offset: _duration_pb2.Duration
    def __init__(self, received_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., settled_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamingDiarizeGoAway(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
