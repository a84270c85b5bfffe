from google.protobuf import struct_pb2 as _struct_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SummarizeRequest(_message.Message):
    __slots__ = ("template_id", "template_blob", "transcript", "map", "reduce", "whole", "generation", "speaker_names")
    class SpeakerNamesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_BLOB_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    REDUCE_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_NAMES_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    template_blob: _types_pb2.Blob
    transcript: _types_pb2.Transcript
    map: _types_pb2.Blob
    reduce: ReduceSource
    whole: _types_pb2.Blob
    generation: _types_pb2.GenerationOptions
    speaker_names: _containers.ScalarMap[str, str]
    def __init__(self, template_id: _Optional[str] = ..., template_blob: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., transcript: _Optional[_Union[_types_pb2.Transcript, _Mapping]] = ..., map: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., reduce: _Optional[_Union[ReduceSource, _Mapping]] = ..., whole: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., generation: _Optional[_Union[_types_pb2.GenerationOptions, _Mapping]] = ..., speaker_names: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ReduceSource(_message.Message):
    __slots__ = ("parts",)
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[_types_pb2.Blob]
    def __init__(self, parts: _Optional[_Iterable[_Union[_types_pb2.Blob, _Mapping]]] = ...) -> None: ...

class Template(_message.Message):
    __slots__ = ("template_id", "title", "description", "schema_json", "prompt", "sha256", "examples_json", "version")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_JSON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    title: str
    description: str
    schema_json: str
    prompt: str
    sha256: str
    examples_json: str
    version: int
    def __init__(self, template_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., schema_json: _Optional[str] = ..., prompt: _Optional[str] = ..., sha256: _Optional[str] = ..., examples_json: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class SummarizeResponse(_message.Message):
    __slots__ = ("progress", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: SummarizeProgress
    result: SummarizeResult
    def __init__(self, progress: _Optional[_Union[SummarizeProgress, _Mapping]] = ..., result: _Optional[_Union[SummarizeResult, _Mapping]] = ...) -> None: ...

class SummarizeProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...

class SummarizeResult(_message.Message):
    __slots__ = ("part", "summary", "warnings")
    PART_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    part: SummaryPart
    summary: Summary
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Warning]
    def __init__(self, part: _Optional[_Union[SummaryPart, _Mapping]] = ..., summary: _Optional[_Union[Summary, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Warning, _Mapping]]] = ...) -> None: ...

class SummaryPart(_message.Message):
    __slots__ = ("notes_json", "engine", "transcript")
    NOTES_JSON_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    notes_json: str
    engine: _types_pb2.EngineVersion
    transcript: _types_pb2.Blob
    def __init__(self, notes_json: _Optional[str] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., transcript: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ...) -> None: ...

class Summary(_message.Message):
    __slots__ = ("template_id", "template_sha256", "content", "citations", "engine", "part_engines", "template_version")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    PART_ENGINES_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    template_sha256: str
    content: _struct_pb2.Struct
    citations: _containers.RepeatedCompositeFieldContainer[Citation]
    engine: _types_pb2.EngineVersion
    part_engines: _containers.RepeatedCompositeFieldContainer[_types_pb2.EngineVersion]
    template_version: int
    def __init__(self, template_id: _Optional[str] = ..., template_sha256: _Optional[str] = ..., content: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[Citation, _Mapping]]] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., part_engines: _Optional[_Iterable[_Union[_types_pb2.EngineVersion, _Mapping]]] = ..., template_version: _Optional[int] = ...) -> None: ...

class Citation(_message.Message):
    __slots__ = ("pointer", "segment_ids", "ranges", "speakers")
    POINTER_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    pointer: str
    segment_ids: _containers.RepeatedScalarFieldContainer[str]
    ranges: _containers.RepeatedCompositeFieldContainer[_types_pb2.TimeRange]
    speakers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, pointer: _Optional[str] = ..., segment_ids: _Optional[_Iterable[str]] = ..., ranges: _Optional[_Iterable[_Union[_types_pb2.TimeRange, _Mapping]]] = ..., speakers: _Optional[_Iterable[str]] = ...) -> None: ...
