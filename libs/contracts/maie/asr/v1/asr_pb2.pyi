from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TranscribeRequest(_message.Message):
    __slots__ = ("chunk", "audio_content", "options")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CONTENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    chunk: ChunkReference
    audio_content: bytes
    options: TranscribeOptions
    def __init__(self, chunk: _Optional[_Union[ChunkReference, _Mapping]] = ..., audio_content: _Optional[bytes] = ..., options: _Optional[_Union[TranscribeOptions, _Mapping]] = ...) -> None: ...

class ChunkReference(_message.Message):
    __slots__ = ("plan", "index")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    plan: _types_pb2.Blob
    index: int
    def __init__(self, plan: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., index: _Optional[int] = ...) -> None: ...

class TranscribeOptions(_message.Message):
    __slots__ = ("language_code", "hotwords", "word_time_offsets")
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    HOTWORDS_FIELD_NUMBER: _ClassVar[int]
    WORD_TIME_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    language_code: str
    hotwords: _containers.RepeatedScalarFieldContainer[str]
    word_time_offsets: bool
    def __init__(self, language_code: _Optional[str] = ..., hotwords: _Optional[_Iterable[str]] = ..., word_time_offsets: _Optional[bool] = ...) -> None: ...

class TranscribeResponse(_message.Message):
    __slots__ = ("progress", "segment", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: TranscribeProgress
    segment: _types_pb2.Segment
    result: _types_pb2.Transcript
    def __init__(self, progress: _Optional[_Union[TranscribeProgress, _Mapping]] = ..., segment: _Optional[_Union[_types_pb2.Segment, _Mapping]] = ..., result: _Optional[_Union[_types_pb2.Transcript, _Mapping]] = ...) -> None: ...

class TranscribeProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...
