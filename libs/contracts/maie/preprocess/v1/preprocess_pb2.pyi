import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChannelMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANNEL_MODE_UNSPECIFIED: _ClassVar[ChannelMode]
    CHANNEL_MODE_MIX: _ClassVar[ChannelMode]
    CHANNEL_MODE_SPLIT: _ClassVar[ChannelMode]
    CHANNEL_MODE_AUTO: _ClassVar[ChannelMode]
CHANNEL_MODE_UNSPECIFIED: ChannelMode
CHANNEL_MODE_MIX: ChannelMode
CHANNEL_MODE_SPLIT: ChannelMode
CHANNEL_MODE_AUTO: ChannelMode

class PreprocessRequest(_message.Message):
    __slots__ = ("recording", "recording_content", "chunk_duration", "recording_options", "asr_slots")
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    RECORDING_CONTENT_FIELD_NUMBER: _ClassVar[int]
    CHUNK_DURATION_FIELD_NUMBER: _ClassVar[int]
    RECORDING_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ASR_SLOTS_FIELD_NUMBER: _ClassVar[int]
    recording: _types_pb2.Blob
    recording_content: bytes
    chunk_duration: _duration_pb2.Duration
    recording_options: RecordingOptions
    asr_slots: int
    def __init__(self, recording: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., recording_content: _Optional[bytes] = ..., chunk_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., recording_options: _Optional[_Union[RecordingOptions, _Mapping]] = ..., asr_slots: _Optional[int] = ...) -> None: ...

class RecordingOptions(_message.Message):
    __slots__ = ("channels", "track", "all_tracks")
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    ALL_TRACKS_FIELD_NUMBER: _ClassVar[int]
    channels: ChannelMode
    track: int
    all_tracks: bool
    def __init__(self, channels: _Optional[_Union[ChannelMode, str]] = ..., track: _Optional[int] = ..., all_tracks: _Optional[bool] = ...) -> None: ...

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
    __slots__ = ("source", "duration", "quality", "chunks", "vad_engine", "warnings", "waveform")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    VAD_ENGINE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    WAVEFORM_FIELD_NUMBER: _ClassVar[int]
    source: SourceFormat
    duration: _duration_pb2.Duration
    quality: AudioQuality
    chunks: _containers.RepeatedCompositeFieldContainer[Chunk]
    vad_engine: _types_pb2.EngineVersion
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Warning]
    waveform: _types_pb2.Blob
    def __init__(self, source: _Optional[_Union[SourceFormat, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., quality: _Optional[_Union[AudioQuality, _Mapping]] = ..., chunks: _Optional[_Iterable[_Union[Chunk, _Mapping]]] = ..., vad_engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Warning, _Mapping]]] = ..., waveform: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ...) -> None: ...

class SourceFormat(_message.Message):
    __slots__ = ("container", "codec", "sample_rate_hertz", "channel_count", "normalized", "channels", "tracks")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    NORMALIZED_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    container: str
    codec: str
    sample_rate_hertz: int
    channel_count: int
    normalized: bool
    channels: ChannelMode
    tracks: _containers.RepeatedCompositeFieldContainer[AudioTrack]
    def __init__(self, container: _Optional[str] = ..., codec: _Optional[str] = ..., sample_rate_hertz: _Optional[int] = ..., channel_count: _Optional[int] = ..., normalized: _Optional[bool] = ..., channels: _Optional[_Union[ChannelMode, str]] = ..., tracks: _Optional[_Iterable[_Union[AudioTrack, _Mapping]]] = ...) -> None: ...

class AudioTrack(_message.Message):
    __slots__ = ("track", "codec", "language", "title", "default", "read")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    track: int
    codec: str
    language: str
    title: str
    default: bool
    read: bool
    def __init__(self, track: _Optional[int] = ..., codec: _Optional[str] = ..., language: _Optional[str] = ..., title: _Optional[str] = ..., default: _Optional[bool] = ..., read: _Optional[bool] = ...) -> None: ...

class AudioQuality(_message.Message):
    __slots__ = ("vad_coverage", "loudness_lufs", "peak_dbfs", "clipping_ratio", "bandwidth_hertz", "narrow_band", "loudness_range_lu")
    VAD_COVERAGE_FIELD_NUMBER: _ClassVar[int]
    LOUDNESS_LUFS_FIELD_NUMBER: _ClassVar[int]
    PEAK_DBFS_FIELD_NUMBER: _ClassVar[int]
    CLIPPING_RATIO_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTH_HERTZ_FIELD_NUMBER: _ClassVar[int]
    NARROW_BAND_FIELD_NUMBER: _ClassVar[int]
    LOUDNESS_RANGE_LU_FIELD_NUMBER: _ClassVar[int]
    vad_coverage: float
    loudness_lufs: float
    peak_dbfs: float
    clipping_ratio: float
    bandwidth_hertz: int
    narrow_band: bool
    loudness_range_lu: float
    def __init__(self, vad_coverage: _Optional[float] = ..., loudness_lufs: _Optional[float] = ..., peak_dbfs: _Optional[float] = ..., clipping_ratio: _Optional[float] = ..., bandwidth_hertz: _Optional[int] = ..., narrow_band: _Optional[bool] = ..., loudness_range_lu: _Optional[float] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ("index", "range", "speech", "audio", "channel", "track")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    SPEECH_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    index: int
    range: _types_pb2.TimeRange
    speech: _containers.RepeatedCompositeFieldContainer[_types_pb2.TimeRange]
    audio: _types_pb2.Blob
    channel: int
    track: int
    def __init__(self, index: _Optional[int] = ..., range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., speech: _Optional[_Iterable[_Union[_types_pb2.TimeRange, _Mapping]]] = ..., audio: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., channel: _Optional[int] = ..., track: _Optional[int] = ...) -> None: ...
