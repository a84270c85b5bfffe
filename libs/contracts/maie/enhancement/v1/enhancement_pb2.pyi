from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EnhanceRequest(_message.Message):
    __slots__ = ("transcript_blob", "transcript", "generation")
    TRANSCRIPT_BLOB_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    transcript_blob: _types_pb2.Blob
    transcript: _types_pb2.Transcript
    generation: _types_pb2.GenerationOptions
    def __init__(self, transcript_blob: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., transcript: _Optional[_Union[_types_pb2.Transcript, _Mapping]] = ..., generation: _Optional[_Union[_types_pb2.GenerationOptions, _Mapping]] = ...) -> None: ...

class EnhanceResponse(_message.Message):
    __slots__ = ("progress", "delta", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: EnhanceProgress
    delta: EnhanceDelta
    result: _types_pb2.Transcript
    def __init__(self, progress: _Optional[_Union[EnhanceProgress, _Mapping]] = ..., delta: _Optional[_Union[EnhanceDelta, _Mapping]] = ..., result: _Optional[_Union[_types_pb2.Transcript, _Mapping]] = ...) -> None: ...

class EnhanceProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...

class EnhanceDelta(_message.Message):
    __slots__ = ("segment_id", "clean_text")
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLEAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    segment_id: str
    clean_text: str
    def __init__(self, segment_id: _Optional[str] = ..., clean_text: _Optional[str] = ...) -> None: ...
