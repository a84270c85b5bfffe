import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.diarization.v1 import streaming_pb2 as _streaming_pb2
from maie.live.v1 import live_pb2 as _live_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SessionEntry(_message.Message):
    __slots__ = ("session_id", "epoch", "entry_time", "sequence", "opened", "taken", "track_began", "finished", "settled", "track_ended", "refinement", "ended", "configured", "labelled", "speakers_merged", "voices_known", "without_summary", "enhancement_engine", "kept")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    TRACK_BEGAN_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    TRACK_ENDED_FIELD_NUMBER: _ClassVar[int]
    REFINEMENT_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    CONFIGURED_FIELD_NUMBER: _ClassVar[int]
    LABELLED_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_MERGED_FIELD_NUMBER: _ClassVar[int]
    VOICES_KNOWN_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    ENHANCEMENT_ENGINE_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    epoch: int
    entry_time: _timestamp_pb2.Timestamp
    sequence: int
    opened: SessionOpened
    taken: SessionTaken
    track_began: TrackBegan
    finished: UtteranceFinished
    settled: TracksSettled
    track_ended: TrackEnded
    refinement: _live_pb2.Refinement
    ended: _live_pb2.SessionEnded
    configured: _live_pb2.ConfigureSession
    labelled: UtteranceLabelled
    speakers_merged: SpeakersMerged
    voices_known: VoicesKnown
    without_summary: bool
    enhancement_engine: _types_pb2.EngineVersion
    kept: bool
    def __init__(self, session_id: _Optional[str] = ..., epoch: _Optional[int] = ..., entry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ..., opened: _Optional[_Union[SessionOpened, _Mapping]] = ..., taken: _Optional[_Union[SessionTaken, _Mapping]] = ..., track_began: _Optional[_Union[TrackBegan, _Mapping]] = ..., finished: _Optional[_Union[UtteranceFinished, _Mapping]] = ..., settled: _Optional[_Union[TracksSettled, _Mapping]] = ..., track_ended: _Optional[_Union[TrackEnded, _Mapping]] = ..., refinement: _Optional[_Union[_live_pb2.Refinement, _Mapping]] = ..., ended: _Optional[_Union[_live_pb2.SessionEnded, _Mapping]] = ..., configured: _Optional[_Union[_live_pb2.ConfigureSession, _Mapping]] = ..., labelled: _Optional[_Union[UtteranceLabelled, _Mapping]] = ..., speakers_merged: _Optional[_Union[SpeakersMerged, _Mapping]] = ..., voices_known: _Optional[_Union[VoicesKnown, _Mapping]] = ..., without_summary: _Optional[bool] = ..., enhancement_engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., kept: _Optional[bool] = ...) -> None: ...

class SessionOpened(_message.Message):
    __slots__ = ("tenant", "config", "token_sha256")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    TOKEN_SHA256_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    config: _live_pb2.SessionConfig
    token_sha256: str
    def __init__(self, tenant: _Optional[str] = ..., config: _Optional[_Union[_live_pb2.SessionConfig, _Mapping]] = ..., token_sha256: _Optional[str] = ...) -> None: ...

class SessionTaken(_message.Message):
    __slots__ = ("gateway",)
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    gateway: str
    def __init__(self, gateway: _Optional[str] = ...) -> None: ...

class TrackBegan(_message.Message):
    __slots__ = ("join", "number", "offset")
    JOIN_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    join: _live_pb2.TrackJoin
    number: int
    offset: _duration_pb2.Duration
    def __init__(self, join: _Optional[_Union[_live_pb2.TrackJoin, _Mapping]] = ..., number: _Optional[int] = ..., offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class TrackMark(_message.Message):
    __slots__ = ("number", "sequence", "message_offset", "settled_offset", "next_utterance", "decoder_state", "audio", "channel")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SETTLED_OFFSET_FIELD_NUMBER: _ClassVar[int]
    NEXT_UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    DECODER_STATE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    number: int
    sequence: int
    message_offset: _duration_pb2.Duration
    settled_offset: _duration_pb2.Duration
    next_utterance: int
    decoder_state: bytes
    audio: _types_pb2.Blob
    channel: int
    def __init__(self, number: _Optional[int] = ..., sequence: _Optional[int] = ..., message_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., settled_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., next_utterance: _Optional[int] = ..., decoder_state: _Optional[bytes] = ..., audio: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., channel: _Optional[int] = ...) -> None: ...

class AudioPart(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[AudioRun]
    def __init__(self, runs: _Optional[_Iterable[_Union[AudioRun, _Mapping]]] = ...) -> None: ...

class AudioRun(_message.Message):
    __slots__ = ("start_offset", "samples")
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    start_offset: _duration_pb2.Duration
    samples: bytes
    def __init__(self, start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., samples: _Optional[bytes] = ...) -> None: ...

class SessionAudio(_message.Message):
    __slots__ = ("file", "duration", "waveform")
    FILE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    WAVEFORM_FIELD_NUMBER: _ClassVar[int]
    file: _types_pb2.Blob
    duration: _duration_pb2.Duration
    waveform: _types_pb2.Blob
    def __init__(self, file: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., waveform: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ...) -> None: ...

class UtteranceFinished(_message.Message):
    __slots__ = ("final", "mark", "engine")
    FINAL_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    final: _live_pb2.Final
    mark: TrackMark
    engine: _types_pb2.EngineVersion
    def __init__(self, final: _Optional[_Union[_live_pb2.Final, _Mapping]] = ..., mark: _Optional[_Union[TrackMark, _Mapping]] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ...) -> None: ...

class UtteranceLabelled(_message.Message):
    __slots__ = ("labels", "numbers", "engine")
    LABELS_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    labels: _live_pb2.SpeakerLabels
    numbers: _containers.RepeatedScalarFieldContainer[str]
    engine: _types_pb2.EngineVersion
    def __init__(self, labels: _Optional[_Union[_live_pb2.SpeakerLabels, _Mapping]] = ..., numbers: _Optional[_Iterable[str]] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ...) -> None: ...

class SpeakersMerged(_message.Message):
    __slots__ = ("number", "channel", "old", "new", "update")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    number: int
    channel: int
    old: str
    new: str
    update: _live_pb2.SpeakerUpdate
    def __init__(self, number: _Optional[int] = ..., channel: _Optional[int] = ..., old: _Optional[str] = ..., new: _Optional[str] = ..., update: _Optional[_Union[_live_pb2.SpeakerUpdate, _Mapping]] = ...) -> None: ...

class VoicesKnown(_message.Message):
    __slots__ = ("number", "channel", "known")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    number: int
    channel: int
    known: _streaming_pb2.KnownSpeakers
    def __init__(self, number: _Optional[int] = ..., channel: _Optional[int] = ..., known: _Optional[_Union[_streaming_pb2.KnownSpeakers, _Mapping]] = ...) -> None: ...

class TracksSettled(_message.Message):
    __slots__ = ("marks",)
    MARKS_FIELD_NUMBER: _ClassVar[int]
    marks: _containers.RepeatedCompositeFieldContainer[TrackMark]
    def __init__(self, marks: _Optional[_Iterable[_Union[TrackMark, _Mapping]]] = ...) -> None: ...

class TrackEnded(_message.Message):
    __slots__ = ("number", "sequence")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    number: int
    sequence: int
    def __init__(self, number: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class FinalsDue(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FeedPosition(_message.Message):
    __slots__ = ("place", "refusals")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    place: int
    refusals: int
    def __init__(self, place: _Optional[int] = ..., refusals: _Optional[int] = ...) -> None: ...
