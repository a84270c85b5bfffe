import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.preprocess.v1 import preprocess_pb2 as _preprocess_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssessRequest(_message.Message):
    __slots__ = ("speech_chunk", "measures", "audio_content")
    SPEECH_CHUNK_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CONTENT_FIELD_NUMBER: _ClassVar[int]
    speech_chunk: _preprocess_pb2.Chunk
    measures: MeasuresSource
    audio_content: bytes
    def __init__(self, speech_chunk: _Optional[_Union[_preprocess_pb2.Chunk, _Mapping]] = ..., measures: _Optional[_Union[MeasuresSource, _Mapping]] = ..., audio_content: _Optional[bytes] = ...) -> None: ...

class MeasuresSource(_message.Message):
    __slots__ = ("parts", "preprocessed")
    PARTS_FIELD_NUMBER: _ClassVar[int]
    PREPROCESSED_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[_types_pb2.Blob]
    preprocessed: _types_pb2.Blob
    def __init__(self, parts: _Optional[_Iterable[_Union[_types_pb2.Blob, _Mapping]]] = ..., preprocessed: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ...) -> None: ...

class AssessResponse(_message.Message):
    __slots__ = ("progress", "measures", "report")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    progress: AssessProgress
    measures: Measures
    report: QualityReport
    def __init__(self, progress: _Optional[_Union[AssessProgress, _Mapping]] = ..., measures: _Optional[_Union[Measures, _Mapping]] = ..., report: _Optional[_Union[QualityReport, _Mapping]] = ...) -> None: ...

class AssessProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...

class Measures(_message.Message):
    __slots__ = ("windows", "speech_duration", "noise_duration", "speech_power", "noise_power", "duration", "dc_offset", "hum", "dropouts", "dropout_count", "reverberation_seconds", "engine", "echo")
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    SPEECH_DURATION_FIELD_NUMBER: _ClassVar[int]
    NOISE_DURATION_FIELD_NUMBER: _ClassVar[int]
    SPEECH_POWER_FIELD_NUMBER: _ClassVar[int]
    NOISE_POWER_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    DC_OFFSET_FIELD_NUMBER: _ClassVar[int]
    HUM_FIELD_NUMBER: _ClassVar[int]
    DROPOUTS_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVERBERATION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ECHO_FIELD_NUMBER: _ClassVar[int]
    windows: _containers.RepeatedCompositeFieldContainer[QualityWindow]
    speech_duration: _duration_pb2.Duration
    noise_duration: _duration_pb2.Duration
    speech_power: float
    noise_power: float
    duration: _duration_pb2.Duration
    dc_offset: float
    hum: Hum
    dropouts: _containers.RepeatedCompositeFieldContainer[_types_pb2.TimeRange]
    dropout_count: int
    reverberation_seconds: float
    engine: _types_pb2.EngineVersion
    echo: Echo
    def __init__(self, windows: _Optional[_Iterable[_Union[QualityWindow, _Mapping]]] = ..., speech_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., noise_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., speech_power: _Optional[float] = ..., noise_power: _Optional[float] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., dc_offset: _Optional[float] = ..., hum: _Optional[_Union[Hum, _Mapping]] = ..., dropouts: _Optional[_Iterable[_Union[_types_pb2.TimeRange, _Mapping]]] = ..., dropout_count: _Optional[int] = ..., reverberation_seconds: _Optional[float] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., echo: _Optional[_Union[Echo, _Mapping]] = ...) -> None: ...

class QualityWindow(_message.Message):
    __slots__ = ("range", "opinion", "level_dbfs", "channel", "track")
    RANGE_FIELD_NUMBER: _ClassVar[int]
    OPINION_FIELD_NUMBER: _ClassVar[int]
    LEVEL_DBFS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    range: _types_pb2.TimeRange
    opinion: Opinion
    level_dbfs: float
    channel: int
    track: int
    def __init__(self, range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., opinion: _Optional[_Union[Opinion, _Mapping]] = ..., level_dbfs: _Optional[float] = ..., channel: _Optional[int] = ..., track: _Optional[int] = ...) -> None: ...

class Opinion(_message.Message):
    __slots__ = ("overall", "speech", "background", "crowd")
    OVERALL_FIELD_NUMBER: _ClassVar[int]
    SPEECH_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    CROWD_FIELD_NUMBER: _ClassVar[int]
    overall: float
    speech: float
    background: float
    crowd: float
    def __init__(self, overall: _Optional[float] = ..., speech: _Optional[float] = ..., background: _Optional[float] = ..., crowd: _Optional[float] = ...) -> None: ...

class Hum(_message.Message):
    __slots__ = ("hertz", "level_dbfs")
    HERTZ_FIELD_NUMBER: _ClassVar[int]
    LEVEL_DBFS_FIELD_NUMBER: _ClassVar[int]
    hertz: int
    level_dbfs: float
    def __init__(self, hertz: _Optional[int] = ..., level_dbfs: _Optional[float] = ...) -> None: ...

class Echo(_message.Message):
    __slots__ = ("delay", "level_db", "share")
    DELAY_FIELD_NUMBER: _ClassVar[int]
    LEVEL_DB_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    delay: _duration_pb2.Duration
    level_db: float
    share: float
    def __init__(self, delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., level_db: _Optional[float] = ..., share: _Optional[float] = ...) -> None: ...

class ScoreSummary(_message.Message):
    __slots__ = ("mean", "min", "percentile_10", "median", "percentile_90")
    MEAN_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_10_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_90_FIELD_NUMBER: _ClassVar[int]
    mean: float
    min: float
    percentile_10: float
    median: float
    percentile_90: float
    def __init__(self, mean: _Optional[float] = ..., min: _Optional[float] = ..., percentile_10: _Optional[float] = ..., median: _Optional[float] = ..., percentile_90: _Optional[float] = ...) -> None: ...

class QualityReport(_message.Message):
    __slots__ = ("overall", "speech", "background", "crowd", "windows", "snr_db", "loudness_lufs", "loudness_range_lu", "peak_dbfs", "clipping_ratio", "silence_share", "bandwidth_hertz", "dc_offset", "hum", "dropouts", "dropout_count", "reverberation_seconds", "warnings", "engine", "echo")
    OVERALL_FIELD_NUMBER: _ClassVar[int]
    SPEECH_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    CROWD_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    SNR_DB_FIELD_NUMBER: _ClassVar[int]
    LOUDNESS_LUFS_FIELD_NUMBER: _ClassVar[int]
    LOUDNESS_RANGE_LU_FIELD_NUMBER: _ClassVar[int]
    PEAK_DBFS_FIELD_NUMBER: _ClassVar[int]
    CLIPPING_RATIO_FIELD_NUMBER: _ClassVar[int]
    SILENCE_SHARE_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTH_HERTZ_FIELD_NUMBER: _ClassVar[int]
    DC_OFFSET_FIELD_NUMBER: _ClassVar[int]
    HUM_FIELD_NUMBER: _ClassVar[int]
    DROPOUTS_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVERBERATION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ECHO_FIELD_NUMBER: _ClassVar[int]
    overall: ScoreSummary
    speech: ScoreSummary
    background: ScoreSummary
    crowd: ScoreSummary
    windows: _containers.RepeatedCompositeFieldContainer[QualityWindow]
    snr_db: float
    loudness_lufs: float
    loudness_range_lu: float
    peak_dbfs: float
    clipping_ratio: float
    silence_share: float
    bandwidth_hertz: int
    dc_offset: float
    hum: Hum
    dropouts: _containers.RepeatedCompositeFieldContainer[_types_pb2.TimeRange]
    dropout_count: int
    reverberation_seconds: float
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Warning]
    engine: _types_pb2.EngineVersion
    echo: Echo
    def __init__(self, overall: _Optional[_Union[ScoreSummary, _Mapping]] = ..., speech: _Optional[_Union[ScoreSummary, _Mapping]] = ..., background: _Optional[_Union[ScoreSummary, _Mapping]] = ..., crowd: _Optional[_Union[ScoreSummary, _Mapping]] = ..., windows: _Optional[_Iterable[_Union[QualityWindow, _Mapping]]] = ..., snr_db: _Optional[float] = ..., loudness_lufs: _Optional[float] = ..., loudness_range_lu: _Optional[float] = ..., peak_dbfs: _Optional[float] = ..., clipping_ratio: _Optional[float] = ..., silence_share: _Optional[float] = ..., bandwidth_hertz: _Optional[int] = ..., dc_offset: _Optional[float] = ..., hum: _Optional[_Union[Hum, _Mapping]] = ..., dropouts: _Optional[_Iterable[_Union[_types_pb2.TimeRange, _Mapping]]] = ..., dropout_count: _Optional[int] = ..., reverberation_seconds: _Optional[float] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Warning, _Mapping]]] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., echo: _Optional[_Union[Echo, _Mapping]] = ...) -> None: ...
