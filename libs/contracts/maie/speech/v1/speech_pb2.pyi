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

class AudioFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIO_FORMAT_UNSPECIFIED: _ClassVar[AudioFormat]
    AUDIO_FORMAT_WAV: _ClassVar[AudioFormat]
    AUDIO_FORMAT_OPUS: _ClassVar[AudioFormat]
    AUDIO_FORMAT_MP3: _ClassVar[AudioFormat]
    AUDIO_FORMAT_FLAC: _ClassVar[AudioFormat]
    AUDIO_FORMAT_PCM: _ClassVar[AudioFormat]

class MarkKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MARK_KIND_UNSPECIFIED: _ClassVar[MarkKind]
    MARK_KIND_SENTENCE: _ClassVar[MarkKind]
    MARK_KIND_WORD: _ClassVar[MarkKind]

class UnspokenReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNSPOKEN_REASON_UNSPECIFIED: _ClassVar[UnspokenReason]
    UNSPOKEN_REASON_NOTHING_TO_SPEAK: _ClassVar[UnspokenReason]
    UNSPOKEN_REASON_LEFT_OUT: _ClassVar[UnspokenReason]
    UNSPOKEN_REASON_ENGINE_FAILED: _ClassVar[UnspokenReason]
    UNSPOKEN_REASON_TOO_SLOW: _ClassVar[UnspokenReason]
AUDIO_FORMAT_UNSPECIFIED: AudioFormat
AUDIO_FORMAT_WAV: AudioFormat
AUDIO_FORMAT_OPUS: AudioFormat
AUDIO_FORMAT_MP3: AudioFormat
AUDIO_FORMAT_FLAC: AudioFormat
AUDIO_FORMAT_PCM: AudioFormat
MARK_KIND_UNSPECIFIED: MarkKind
MARK_KIND_SENTENCE: MarkKind
MARK_KIND_WORD: MarkKind
UNSPOKEN_REASON_UNSPECIFIED: UnspokenReason
UNSPOKEN_REASON_NOTHING_TO_SPEAK: UnspokenReason
UNSPOKEN_REASON_LEFT_OUT: UnspokenReason
UNSPOKEN_REASON_ENGINE_FAILED: UnspokenReason
UNSPOKEN_REASON_TOO_SLOW: UnspokenReason

class SynthesizeRequest(_message.Message):
    __slots__ = ("text", "voice", "speed", "format", "summary")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    text: str
    voice: str
    speed: float
    format: AudioFormat
    summary: SummarySource
    def __init__(self, text: _Optional[str] = ..., voice: _Optional[str] = ..., speed: _Optional[float] = ..., format: _Optional[_Union[AudioFormat, str]] = ..., summary: _Optional[_Union[SummarySource, _Mapping]] = ...) -> None: ...

class SummarySource(_message.Message):
    __slots__ = ("summary", "template")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    summary: _types_pb2.Blob
    template: _types_pb2.Blob
    def __init__(self, summary: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., template: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ...) -> None: ...

class SynthesizeResponse(_message.Message):
    __slots__ = ("audio", "result", "progress", "spoken_summary")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SPOKEN_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    audio: SynthesizedAudio
    result: SynthesizeResult
    progress: SynthesizeProgress
    spoken_summary: SpokenSummary
    def __init__(self, audio: _Optional[_Union[SynthesizedAudio, _Mapping]] = ..., result: _Optional[_Union[SynthesizeResult, _Mapping]] = ..., progress: _Optional[_Union[SynthesizeProgress, _Mapping]] = ..., spoken_summary: _Optional[_Union[SpokenSummary, _Mapping]] = ...) -> None: ...

class SynthesizeProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...

class SpokenSummary(_message.Message):
    __slots__ = ("audio", "digest")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    audio: _types_pb2.Blob
    digest: Digest
    def __init__(self, audio: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., digest: _Optional[_Union[Digest, _Mapping]] = ...) -> None: ...

class SpeechOptions(_message.Message):
    __slots__ = ("voice", "speed", "format")
    VOICE_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    voice: str
    speed: float
    format: AudioFormat
    def __init__(self, voice: _Optional[str] = ..., speed: _Optional[float] = ..., format: _Optional[_Union[AudioFormat, str]] = ...) -> None: ...

class Digest(_message.Message):
    __slots__ = ("text", "format", "size_bytes", "marks", "result", "warnings")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    text: str
    format: AudioFormat
    size_bytes: int
    marks: _containers.RepeatedCompositeFieldContainer[Mark]
    result: SynthesizeResult
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Warning]
    def __init__(self, text: _Optional[str] = ..., format: _Optional[_Union[AudioFormat, str]] = ..., size_bytes: _Optional[int] = ..., marks: _Optional[_Iterable[_Union[Mark, _Mapping]]] = ..., result: _Optional[_Union[SynthesizeResult, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Warning, _Mapping]]] = ...) -> None: ...

class SynthesizedAudio(_message.Message):
    __slots__ = ("content", "marks")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    marks: _containers.RepeatedCompositeFieldContainer[Mark]
    def __init__(self, content: _Optional[bytes] = ..., marks: _Optional[_Iterable[_Union[Mark, _Mapping]]] = ...) -> None: ...

class Mark(_message.Message):
    __slots__ = ("kind", "text_offset", "text_length", "start_offset", "end_offset")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    TEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    kind: MarkKind
    text_offset: int
    text_length: int
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    def __init__(self, kind: _Optional[_Union[MarkKind, str]] = ..., text_offset: _Optional[int] = ..., text_length: _Optional[int] = ..., start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SynthesizeResult(_message.Message):
    __slots__ = ("engine", "voice", "duration", "spoken_sentences", "unspoken", "unspoken_sentences")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    SPOKEN_SENTENCES_FIELD_NUMBER: _ClassVar[int]
    UNSPOKEN_FIELD_NUMBER: _ClassVar[int]
    UNSPOKEN_SENTENCES_FIELD_NUMBER: _ClassVar[int]
    engine: _types_pb2.EngineVersion
    voice: str
    duration: _duration_pb2.Duration
    spoken_sentences: int
    unspoken: _containers.RepeatedCompositeFieldContainer[UnspokenSentence]
    unspoken_sentences: int
    def __init__(self, engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., voice: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., spoken_sentences: _Optional[int] = ..., unspoken: _Optional[_Iterable[_Union[UnspokenSentence, _Mapping]]] = ..., unspoken_sentences: _Optional[int] = ...) -> None: ...

class UnspokenSentence(_message.Message):
    __slots__ = ("text_offset", "text_length", "reason", "message")
    TEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    TEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    text_offset: int
    text_length: int
    reason: UnspokenReason
    message: str
    def __init__(self, text_offset: _Optional[int] = ..., text_length: _Optional[int] = ..., reason: _Optional[_Union[UnspokenReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class ListVoicesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListVoicesResponse(_message.Message):
    __slots__ = ("voices",)
    VOICES_FIELD_NUMBER: _ClassVar[int]
    voices: _containers.RepeatedCompositeFieldContainer[Voice]
    def __init__(self, voices: _Optional[_Iterable[_Union[Voice, _Mapping]]] = ...) -> None: ...

class Voice(_message.Message):
    __slots__ = ("name", "description", "language_code", "engine")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    language_code: str
    engine: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., language_code: _Optional[str] = ..., engine: _Optional[str] = ...) -> None: ...
