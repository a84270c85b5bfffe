import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    STAGE_PREPROCESS: _ClassVar[Stage]
    STAGE_ASR: _ClassVar[Stage]
    STAGE_ENHANCEMENT: _ClassVar[Stage]
    STAGE_SUMMARY: _ClassVar[Stage]
    STAGE_DIARIZATION: _ClassVar[Stage]
    STAGE_QUALITY: _ClassVar[Stage]
    STAGE_ALIGNMENT: _ClassVar[Stage]
    STAGE_SYNTHESIS: _ClassVar[Stage]

class SuspectReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUSPECT_REASON_UNSPECIFIED: _ClassVar[SuspectReason]
    SUSPECT_REASON_REPETITION: _ClassVar[SuspectReason]
    SUSPECT_REASON_NON_SPEECH: _ClassVar[SuspectReason]
STAGE_UNSPECIFIED: Stage
STAGE_PREPROCESS: Stage
STAGE_ASR: Stage
STAGE_ENHANCEMENT: Stage
STAGE_SUMMARY: Stage
STAGE_DIARIZATION: Stage
STAGE_QUALITY: Stage
STAGE_ALIGNMENT: Stage
STAGE_SYNTHESIS: Stage
SUSPECT_REASON_UNSPECIFIED: SuspectReason
SUSPECT_REASON_REPETITION: SuspectReason
SUSPECT_REASON_NON_SPEECH: SuspectReason

class Blob(_message.Message):
    __slots__ = ("key", "size_bytes", "sha256")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    key: str
    size_bytes: int
    sha256: str
    def __init__(self, key: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class TimeRange(_message.Message):
    __slots__ = ("start_offset", "end_offset")
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    def __init__(self, start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Waveform(_message.Message):
    __slots__ = ("interval", "peaks")
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    PEAKS_FIELD_NUMBER: _ClassVar[int]
    interval: _duration_pb2.Duration
    peaks: bytes
    def __init__(self, interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., peaks: _Optional[bytes] = ...) -> None: ...

class Word(_message.Message):
    __slots__ = ("start_offset", "end_offset", "word", "confidence", "speaker", "overlapped")
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    WORD_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    OVERLAPPED_FIELD_NUMBER: _ClassVar[int]
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    word: str
    confidence: float
    speaker: str
    overlapped: bool
    def __init__(self, start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., word: _Optional[str] = ..., confidence: _Optional[float] = ..., speaker: _Optional[str] = ..., overlapped: _Optional[bool] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("segment_id", "start_offset", "end_offset", "text", "clean_text", "words", "confidence", "channel", "track", "speaker", "overlapped")
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLEAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    OVERLAPPED_FIELD_NUMBER: _ClassVar[int]
    segment_id: str
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    text: str
    clean_text: str
    words: _containers.RepeatedCompositeFieldContainer[Word]
    confidence: float
    channel: int
    track: int
    speaker: str
    overlapped: bool
    def __init__(self, segment_id: _Optional[str] = ..., start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., text: _Optional[str] = ..., clean_text: _Optional[str] = ..., words: _Optional[_Iterable[_Union[Word, _Mapping]]] = ..., confidence: _Optional[float] = ..., channel: _Optional[int] = ..., track: _Optional[int] = ..., speaker: _Optional[str] = ..., overlapped: _Optional[bool] = ...) -> None: ...

class Warning(_message.Message):
    __slots__ = ("reason", "range", "message", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REASON_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    reason: str
    range: TimeRange
    message: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, reason: _Optional[str] = ..., range: _Optional[_Union[TimeRange, _Mapping]] = ..., message: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Transcript(_message.Message):
    __slots__ = ("segments", "language_code", "punctuated", "asr_engine", "enhancement_engine", "edit_rate", "suspect_texts", "translated_from", "kept_segment_ids", "unread", "reread_count", "diarization_engine", "without_speaker")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    PUNCTUATED_FIELD_NUMBER: _ClassVar[int]
    ASR_ENGINE_FIELD_NUMBER: _ClassVar[int]
    ENHANCEMENT_ENGINE_FIELD_NUMBER: _ClassVar[int]
    EDIT_RATE_FIELD_NUMBER: _ClassVar[int]
    SUSPECT_TEXTS_FIELD_NUMBER: _ClassVar[int]
    TRANSLATED_FROM_FIELD_NUMBER: _ClassVar[int]
    KEPT_SEGMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    REREAD_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIARIZATION_ENGINE_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_SPEAKER_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    language_code: str
    punctuated: bool
    asr_engine: EngineVersion
    enhancement_engine: EngineVersion
    edit_rate: float
    suspect_texts: _containers.RepeatedCompositeFieldContainer[SuspectText]
    translated_from: str
    kept_segment_ids: _containers.RepeatedScalarFieldContainer[str]
    unread: _containers.RepeatedCompositeFieldContainer[TimeRange]
    reread_count: int
    diarization_engine: EngineVersion
    without_speaker: _containers.RepeatedCompositeFieldContainer[TimeRange]
    def __init__(self, segments: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ..., language_code: _Optional[str] = ..., punctuated: _Optional[bool] = ..., asr_engine: _Optional[_Union[EngineVersion, _Mapping]] = ..., enhancement_engine: _Optional[_Union[EngineVersion, _Mapping]] = ..., edit_rate: _Optional[float] = ..., suspect_texts: _Optional[_Iterable[_Union[SuspectText, _Mapping]]] = ..., translated_from: _Optional[str] = ..., kept_segment_ids: _Optional[_Iterable[str]] = ..., unread: _Optional[_Iterable[_Union[TimeRange, _Mapping]]] = ..., reread_count: _Optional[int] = ..., diarization_engine: _Optional[_Union[EngineVersion, _Mapping]] = ..., without_speaker: _Optional[_Iterable[_Union[TimeRange, _Mapping]]] = ...) -> None: ...

class SuspectText(_message.Message):
    __slots__ = ("range", "text", "reason", "removed")
    RANGE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    range: TimeRange
    text: str
    reason: SuspectReason
    removed: bool
    def __init__(self, range: _Optional[_Union[TimeRange, _Mapping]] = ..., text: _Optional[str] = ..., reason: _Optional[_Union[SuspectReason, str]] = ..., removed: _Optional[bool] = ...) -> None: ...

class EngineVersion(_message.Message):
    __slots__ = ("engine", "library", "model_name", "model_variant", "model_path", "checkpoint_sha256", "compute_type", "device", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VARIANT_FIELD_NUMBER: _ClassVar[int]
    MODEL_PATH_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_SHA256_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_TYPE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    engine: str
    library: str
    model_name: str
    model_variant: str
    model_path: str
    checkpoint_sha256: str
    compute_type: str
    device: str
    parameters: _containers.ScalarMap[str, str]
    def __init__(self, engine: _Optional[str] = ..., library: _Optional[str] = ..., model_name: _Optional[str] = ..., model_variant: _Optional[str] = ..., model_path: _Optional[str] = ..., checkpoint_sha256: _Optional[str] = ..., compute_type: _Optional[str] = ..., device: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GenerationOptions(_message.Message):
    __slots__ = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "seed", "max_tokens")
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    MIN_P_FIELD_NUMBER: _ClassVar[int]
    REPETITION_PENALTY_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_PENALTY_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_PENALTY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repetition_penalty: float
    presence_penalty: float
    frequency_penalty: float
    seed: int
    max_tokens: int
    def __init__(self, temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., top_k: _Optional[int] = ..., min_p: _Optional[float] = ..., repetition_penalty: _Optional[float] = ..., presence_penalty: _Optional[float] = ..., frequency_penalty: _Optional[float] = ..., seed: _Optional[int] = ..., max_tokens: _Optional[int] = ...) -> None: ...

class UnitMetrics(_message.Message):
    __slots__ = ("processing_duration", "engine_duration", "deliveries")
    PROCESSING_DURATION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_DURATION_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    processing_duration: _duration_pb2.Duration
    engine_duration: _duration_pb2.Duration
    deliveries: int
    def __init__(self, processing_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., engine_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., deliveries: _Optional[int] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("code", "reason", "message", "unit")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    code: int
    reason: str
    message: str
    unit: str
    def __init__(self, code: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., unit: _Optional[str] = ...) -> None: ...
