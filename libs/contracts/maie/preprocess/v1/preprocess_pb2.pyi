import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PreprocessRequest(_message.Message):
    __slots__ = ("recording", "recording_content", "job_id", "chunk_duration")
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    RECORDING_CONTENT_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNK_DURATION_FIELD_NUMBER: _ClassVar[int]
    recording: _types_pb2.Blob
    recording_content: bytes
    job_id: str
    chunk_duration: _duration_pb2.Duration
    def __init__(self, recording: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., recording_content: _Optional[bytes] = ..., job_id: _Optional[str] = ..., chunk_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PreprocessResponse(_message.Message):
    __slots__ = ("progress", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: PreprocessProgress
    result: PreprocessResult
    def __init__(self, progress: _Optional[_Union[PreprocessProgress, _Mapping]] = ..., result: _Optional[_Union[PreprocessResult, _Mapping]] = ...) -> None: ...

class PreprocessProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...

class PreprocessResult(_message.Message):
    __slots__ = ("source", "duration", "quality", "chunks", "vad_engine")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    VAD_ENGINE_FIELD_NUMBER: _ClassVar[int]
    source: SourceFormat
    duration: _duration_pb2.Duration
    quality: AudioQuality
    chunks: _containers.RepeatedCompositeFieldContainer[Chunk]
    vad_engine: _types_pb2.EngineVersion
    def __init__(self, source: _Optional[_Union[SourceFormat, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., quality: _Optional[_Union[AudioQuality, _Mapping]] = ..., chunks: _Optional[_Iterable[_Union[Chunk, _Mapping]]] = ..., vad_engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ...) -> None: ...

class SourceFormat(_message.Message):
    __slots__ = ("container", "codec", "sample_rate_hertz", "channel_count", "normalized")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    NORMALIZED_FIELD_NUMBER: _ClassVar[int]
    container: str
    codec: str
    sample_rate_hertz: int
    channel_count: int
    normalized: bool
    def __init__(self, container: _Optional[str] = ..., codec: _Optional[str] = ..., sample_rate_hertz: _Optional[int] = ..., channel_count: _Optional[int] = ..., normalized: _Optional[bool] = ...) -> None: ...

class AudioQuality(_message.Message):
    __slots__ = ("vad_coverage", "loudness_lufs", "peak_dbfs", "clipping_ratio")
    VAD_COVERAGE_FIELD_NUMBER: _ClassVar[int]
    LOUDNESS_LUFS_FIELD_NUMBER: _ClassVar[int]
    PEAK_DBFS_FIELD_NUMBER: _ClassVar[int]
    CLIPPING_RATIO_FIELD_NUMBER: _ClassVar[int]
    vad_coverage: float
    loudness_lufs: float
    peak_dbfs: float
    clipping_ratio: float
    def __init__(self, vad_coverage: _Optional[float] = ..., loudness_lufs: _Optional[float] = ..., peak_dbfs: _Optional[float] = ..., clipping_ratio: _Optional[float] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ("index", "range", "speech", "audio")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    SPEECH_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    index: int
    range: _types_pb2.TimeRange
    speech: _containers.RepeatedCompositeFieldContainer[_types_pb2.TimeRange]
    audio: _types_pb2.Blob
    def __init__(self, index: _Optional[int] = ..., range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., speech: _Optional[_Iterable[_Union[_types_pb2.TimeRange, _Mapping]]] = ..., audio: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ...) -> None: ...
