import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.asr.v1 import streaming_pb2 as _streaming_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.job.v1 import job_pb2 as _job_pb2
from maie.preprocess.v1 import preprocess_pb2 as _preprocess_pb2
from maie.summary.v1 import summary_pb2 as _summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AudioEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIO_ENCODING_UNSPECIFIED: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_LINEAR16: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_MULAW: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_ALAW: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_OPUS: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_OGG_OPUS: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_WEBM_OPUS: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_FLAC: _ClassVar[AudioEncoding]
AUDIO_ENCODING_UNSPECIFIED: AudioEncoding
AUDIO_ENCODING_LINEAR16: AudioEncoding
AUDIO_ENCODING_MULAW: AudioEncoding
AUDIO_ENCODING_ALAW: AudioEncoding
AUDIO_ENCODING_OPUS: AudioEncoding
AUDIO_ENCODING_OGG_OPUS: AudioEncoding
AUDIO_ENCODING_WEBM_OPUS: AudioEncoding
AUDIO_ENCODING_FLAC: AudioEncoding

class TranscribeRequest(_message.Message):
    __slots__ = ("start", "audio", "silence", "finalize", "join", "leave", "configure", "keep_alive", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    SILENCE_FIELD_NUMBER: _ClassVar[int]
    FINALIZE_FIELD_NUMBER: _ClassVar[int]
    JOIN_FIELD_NUMBER: _ClassVar[int]
    LEAVE_FIELD_NUMBER: _ClassVar[int]
    CONFIGURE_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: StartSession
    audio: TrackAudio
    silence: TrackSilence
    finalize: TrackFinalize
    join: TrackJoin
    leave: TrackLeave
    configure: ConfigureSession
    keep_alive: KeepAlive
    end: EndSession
    def __init__(self, start: _Optional[_Union[StartSession, _Mapping]] = ..., audio: _Optional[_Union[TrackAudio, _Mapping]] = ..., silence: _Optional[_Union[TrackSilence, _Mapping]] = ..., finalize: _Optional[_Union[TrackFinalize, _Mapping]] = ..., join: _Optional[_Union[TrackJoin, _Mapping]] = ..., leave: _Optional[_Union[TrackLeave, _Mapping]] = ..., configure: _Optional[_Union[ConfigureSession, _Mapping]] = ..., keep_alive: _Optional[_Union[KeepAlive, _Mapping]] = ..., end: _Optional[_Union[EndSession, _Mapping]] = ...) -> None: ...

class StartSession(_message.Message):
    __slots__ = ("session_id", "resume_token", "config", "after_sequence", "await_summary")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AWAIT_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    resume_token: str
    config: SessionConfig
    after_sequence: int
    await_summary: bool
    def __init__(self, session_id: _Optional[str] = ..., resume_token: _Optional[str] = ..., config: _Optional[_Union[SessionConfig, _Mapping]] = ..., after_sequence: _Optional[int] = ..., await_summary: _Optional[bool] = ...) -> None: ...

class SessionConfig(_message.Message):
    __slots__ = ("format", "job", "partials", "turns", "refinements", "keep_audio", "several_speakers")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    PARTIALS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    REFINEMENTS_FIELD_NUMBER: _ClassVar[int]
    KEEP_AUDIO_FIELD_NUMBER: _ClassVar[int]
    SEVERAL_SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    format: AudioFormat
    job: _job_pb2.JobConfig
    partials: _streaming_pb2.PartialOptions
    turns: _streaming_pb2.TurnOptions
    refinements: bool
    keep_audio: bool
    several_speakers: bool
    def __init__(self, format: _Optional[_Union[AudioFormat, _Mapping]] = ..., job: _Optional[_Union[_job_pb2.JobConfig, _Mapping]] = ..., partials: _Optional[_Union[_streaming_pb2.PartialOptions, _Mapping]] = ..., turns: _Optional[_Union[_streaming_pb2.TurnOptions, _Mapping]] = ..., refinements: _Optional[bool] = ..., keep_audio: _Optional[bool] = ..., several_speakers: _Optional[bool] = ...) -> None: ...

class AudioFormat(_message.Message):
    __slots__ = ("encoding", "sample_rate_hertz", "channels", "channel_mode")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_MODE_FIELD_NUMBER: _ClassVar[int]
    encoding: AudioEncoding
    sample_rate_hertz: int
    channels: int
    channel_mode: _preprocess_pb2.ChannelMode
    def __init__(self, encoding: _Optional[_Union[AudioEncoding, str]] = ..., sample_rate_hertz: _Optional[int] = ..., channels: _Optional[int] = ..., channel_mode: _Optional[_Union[_preprocess_pb2.ChannelMode, str]] = ...) -> None: ...

class TrackAudio(_message.Message):
    __slots__ = ("track", "sequence", "content")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    track: str
    sequence: int
    content: bytes
    def __init__(self, track: _Optional[str] = ..., sequence: _Optional[int] = ..., content: _Optional[bytes] = ...) -> None: ...

class TrackSilence(_message.Message):
    __slots__ = ("track", "sequence", "duration")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    track: str
    sequence: int
    duration: _duration_pb2.Duration
    def __init__(self, track: _Optional[str] = ..., sequence: _Optional[int] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class TrackFinalize(_message.Message):
    __slots__ = ("track", "sequence")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    track: str
    sequence: int
    def __init__(self, track: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class TrackJoin(_message.Message):
    __slots__ = ("track", "display_name", "format", "language_code", "sequence", "several_speakers")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SEVERAL_SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    track: str
    display_name: str
    format: AudioFormat
    language_code: str
    sequence: int
    several_speakers: bool
    def __init__(self, track: _Optional[str] = ..., display_name: _Optional[str] = ..., format: _Optional[_Union[AudioFormat, _Mapping]] = ..., language_code: _Optional[str] = ..., sequence: _Optional[int] = ..., several_speakers: _Optional[bool] = ...) -> None: ...

class TrackLeave(_message.Message):
    __slots__ = ("track", "sequence")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    track: str
    sequence: int
    def __init__(self, track: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class ConfigureSession(_message.Message):
    __slots__ = ("track", "options")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    track: str
    options: _streaming_pb2.StreamingOptions
    def __init__(self, track: _Optional[str] = ..., options: _Optional[_Union[_streaming_pb2.StreamingOptions, _Mapping]] = ...) -> None: ...

class KeepAlive(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EndSession(_message.Message):
    __slots__ = ("without_summary", "await_summary")
    WITHOUT_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    AWAIT_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    without_summary: bool
    await_summary: bool
    def __init__(self, without_summary: _Optional[bool] = ..., await_summary: _Optional[bool] = ...) -> None: ...

class TranscribeResponse(_message.Message):
    __slots__ = ("sequence", "event_time", "started", "acknowledged", "turn", "partial", "final", "refinement", "lag", "warning", "go_away", "ended", "summary", "speaker_labels", "speaker_update")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    REFINEMENT_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    GO_AWAY_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_LABELS_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_UPDATE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    event_time: _timestamp_pb2.Timestamp
    started: SessionStarted
    acknowledged: Acknowledged
    turn: Turn
    partial: Partial
    final: Final
    refinement: Refinement
    lag: Lag
    warning: SessionWarning
    go_away: GoAway
    ended: SessionEnded
    summary: SessionSummary
    speaker_labels: SpeakerLabels
    speaker_update: SpeakerUpdate
    def __init__(self, sequence: _Optional[int] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., started: _Optional[_Union[SessionStarted, _Mapping]] = ..., acknowledged: _Optional[_Union[Acknowledged, _Mapping]] = ..., turn: _Optional[_Union[Turn, _Mapping]] = ..., partial: _Optional[_Union[Partial, _Mapping]] = ..., final: _Optional[_Union[Final, _Mapping]] = ..., refinement: _Optional[_Union[Refinement, _Mapping]] = ..., lag: _Optional[_Union[Lag, _Mapping]] = ..., warning: _Optional[_Union[SessionWarning, _Mapping]] = ..., go_away: _Optional[_Union[GoAway, _Mapping]] = ..., ended: _Optional[_Union[SessionEnded, _Mapping]] = ..., summary: _Optional[_Union[SessionSummary, _Mapping]] = ..., speaker_labels: _Optional[_Union[SpeakerLabels, _Mapping]] = ..., speaker_update: _Optional[_Union[SpeakerUpdate, _Mapping]] = ...) -> None: ...

class SessionStarted(_message.Message):
    __slots__ = ("session_id", "resume_token", "config", "tracks", "asr_engine", "resume_duration", "max_tracks", "heartbeat_interval")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    ASR_ENGINE_FIELD_NUMBER: _ClassVar[int]
    RESUME_DURATION_FIELD_NUMBER: _ClassVar[int]
    MAX_TRACKS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    resume_token: str
    config: SessionConfig
    tracks: _containers.RepeatedCompositeFieldContainer[TrackProgress]
    asr_engine: _types_pb2.EngineVersion
    resume_duration: _duration_pb2.Duration
    max_tracks: int
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, session_id: _Optional[str] = ..., resume_token: _Optional[str] = ..., config: _Optional[_Union[SessionConfig, _Mapping]] = ..., tracks: _Optional[_Iterable[_Union[TrackProgress, _Mapping]]] = ..., asr_engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., resume_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_tracks: _Optional[int] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Acknowledged(_message.Message):
    __slots__ = ("tracks",)
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    tracks: _containers.RepeatedCompositeFieldContainer[TrackProgress]
    def __init__(self, tracks: _Optional[_Iterable[_Union[TrackProgress, _Mapping]]] = ...) -> None: ...

class TrackProgress(_message.Message):
    __slots__ = ("track", "received_sequence", "durable_sequence", "received_offset", "durable_offset", "begin_offset")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DURABLE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_OFFSET_FIELD_NUMBER: _ClassVar[int]
    DURABLE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    BEGIN_OFFSET_FIELD_NUMBER: _ClassVar[int]
    track: str
    received_sequence: int
    durable_sequence: int
    received_offset: _duration_pb2.Duration
    durable_offset: _duration_pb2.Duration
    begin_offset: _duration_pb2.Duration
    def __init__(self, track: _Optional[str] = ..., received_sequence: _Optional[int] = ..., durable_sequence: _Optional[int] = ..., received_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., durable_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., begin_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Turn(_message.Message):
    __slots__ = ("track", "utterance_id", "event", "offset", "text", "reason", "confidence", "channel")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    track: str
    utterance_id: str
    event: _streaming_pb2.TurnEvent
    offset: _duration_pb2.Duration
    text: str
    reason: _streaming_pb2.EndReason
    confidence: float
    channel: int
    def __init__(self, track: _Optional[str] = ..., utterance_id: _Optional[str] = ..., event: _Optional[_Union[_streaming_pb2.TurnEvent, str]] = ..., offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., text: _Optional[str] = ..., reason: _Optional[_Union[_streaming_pb2.EndReason, str]] = ..., confidence: _Optional[float] = ..., channel: _Optional[int] = ...) -> None: ...

class Partial(_message.Message):
    __slots__ = ("track", "utterance_id", "range", "stable_text", "unstable_text", "stability", "channel")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    STABLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    UNSTABLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    track: str
    utterance_id: str
    range: _types_pb2.TimeRange
    stable_text: str
    unstable_text: str
    stability: float
    channel: int
    def __init__(self, track: _Optional[str] = ..., utterance_id: _Optional[str] = ..., range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., stable_text: _Optional[str] = ..., unstable_text: _Optional[str] = ..., stability: _Optional[float] = ..., channel: _Optional[int] = ...) -> None: ...

class Final(_message.Message):
    __slots__ = ("track", "segment", "language_code", "reason", "latency", "punctuated")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    PUNCTUATED_FIELD_NUMBER: _ClassVar[int]
    track: str
    segment: _types_pb2.Segment
    language_code: str
    reason: _streaming_pb2.EndReason
    latency: _duration_pb2.Duration
    punctuated: bool
    def __init__(self, track: _Optional[str] = ..., segment: _Optional[_Union[_types_pb2.Segment, _Mapping]] = ..., language_code: _Optional[str] = ..., reason: _Optional[_Union[_streaming_pb2.EndReason, str]] = ..., latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., punctuated: _Optional[bool] = ...) -> None: ...

class Refinement(_message.Message):
    __slots__ = ("track", "utterance_id", "clean_text")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    CLEAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    track: str
    utterance_id: str
    clean_text: str
    def __init__(self, track: _Optional[str] = ..., utterance_id: _Optional[str] = ..., clean_text: _Optional[str] = ...) -> None: ...

class SpeakerLabels(_message.Message):
    __slots__ = ("track", "utterance_id", "speaker", "overlapped", "words")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    OVERLAPPED_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    track: str
    utterance_id: str
    speaker: str
    overlapped: bool
    words: _containers.RepeatedCompositeFieldContainer[WordSpeaker]
    def __init__(self, track: _Optional[str] = ..., utterance_id: _Optional[str] = ..., speaker: _Optional[str] = ..., overlapped: _Optional[bool] = ..., words: _Optional[_Iterable[_Union[WordSpeaker, _Mapping]]] = ...) -> None: ...

class WordSpeaker(_message.Message):
    __slots__ = ("speaker", "overlapped")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    OVERLAPPED_FIELD_NUMBER: _ClassVar[int]
    speaker: str
    overlapped: bool
    def __init__(self, speaker: _Optional[str] = ..., overlapped: _Optional[bool] = ...) -> None: ...

class SpeakerUpdate(_message.Message):
    __slots__ = ("track", "old", "new")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    track: str
    old: str
    new: str
    def __init__(self, track: _Optional[str] = ..., old: _Optional[str] = ..., new: _Optional[str] = ...) -> None: ...

class Lag(_message.Message):
    __slots__ = ("track", "behind", "channel")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    track: str
    behind: _duration_pb2.Duration
    channel: int
    def __init__(self, track: _Optional[str] = ..., behind: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., channel: _Optional[int] = ...) -> None: ...

class SessionWarning(_message.Message):
    __slots__ = ("track", "warning", "track_dropped", "channel")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    TRACK_DROPPED_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    track: str
    warning: _types_pb2.Warning
    track_dropped: bool
    channel: int
    def __init__(self, track: _Optional[str] = ..., warning: _Optional[_Union[_types_pb2.Warning, _Mapping]] = ..., track_dropped: _Optional[bool] = ..., channel: _Optional[int] = ...) -> None: ...

class GoAway(_message.Message):
    __slots__ = ("time_left",)
    TIME_LEFT_FIELD_NUMBER: _ClassVar[int]
    time_left: _duration_pb2.Duration
    def __init__(self, time_left: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SessionEnded(_message.Message):
    __slots__ = ("job_id", "audio_duration", "final_count", "latencies")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIO_DURATION_FIELD_NUMBER: _ClassVar[int]
    FINAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    audio_duration: _duration_pb2.Duration
    final_count: int
    latencies: _containers.RepeatedCompositeFieldContainer[LatencyBucket]
    def __init__(self, job_id: _Optional[str] = ..., audio_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., final_count: _Optional[int] = ..., latencies: _Optional[_Iterable[_Union[LatencyBucket, _Mapping]]] = ...) -> None: ...

class SessionSummary(_message.Message):
    __slots__ = ("summary", "missing", "warnings")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    summary: _summary_pb2.Summary
    missing: _types_pb2.Warning
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Warning]
    def __init__(self, summary: _Optional[_Union[_summary_pb2.Summary, _Mapping]] = ..., missing: _Optional[_Union[_types_pb2.Warning, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Warning, _Mapping]]] = ...) -> None: ...

class LatencyBucket(_message.Message):
    __slots__ = ("up_to", "count")
    UP_TO_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    up_to: _duration_pb2.Duration
    count: int
    def __init__(self, up_to: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class GetSessionRequest(_message.Message):
    __slots__ = ("session_id", "resume_token")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    resume_token: str
    def __init__(self, session_id: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class GetSessionResponse(_message.Message):
    __slots__ = ("ended", "last_sequence", "tracks")
    ENDED_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    ended: bool
    last_sequence: int
    tracks: _containers.RepeatedCompositeFieldContainer[TrackProgress]
    def __init__(self, ended: _Optional[bool] = ..., last_sequence: _Optional[int] = ..., tracks: _Optional[_Iterable[_Union[TrackProgress, _Mapping]]] = ...) -> None: ...
