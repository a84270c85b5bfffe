import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.summary.v1 import summary_pb2 as _summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TemplateProblem(_message.Message):
    __slots__ = ("part", "message", "pointer", "line")
    PART_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    POINTER_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    part: str
    message: str
    pointer: str
    line: int
    def __init__(self, part: _Optional[str] = ..., message: _Optional[str] = ..., pointer: _Optional[str] = ..., line: _Optional[int] = ...) -> None: ...

class CheckTemplateRequest(_message.Message):
    __slots__ = ("template_id", "schema_json", "prompt", "examples_json")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_JSON_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    schema_json: str
    prompt: str
    examples_json: str
    def __init__(self, template_id: _Optional[str] = ..., schema_json: _Optional[str] = ..., prompt: _Optional[str] = ..., examples_json: _Optional[str] = ...) -> None: ...

class CheckTemplateResponse(_message.Message):
    __slots__ = ("problems",)
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[TemplateProblem]
    def __init__(self, problems: _Optional[_Iterable[_Union[TemplateProblem, _Mapping]]] = ...) -> None: ...

class SavedTemplate(_message.Message):
    __slots__ = ("version", "save_time", "author", "sha256")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SAVE_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    version: int
    save_time: _timestamp_pb2.Timestamp
    author: str
    sha256: str
    def __init__(self, version: _Optional[int] = ..., save_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class SaveTemplateRequest(_message.Message):
    __slots__ = ("template_id", "base_version", "schema_json", "prompt", "examples_json")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_JSON_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    base_version: int
    schema_json: str
    prompt: str
    examples_json: str
    def __init__(self, template_id: _Optional[str] = ..., base_version: _Optional[int] = ..., schema_json: _Optional[str] = ..., prompt: _Optional[str] = ..., examples_json: _Optional[str] = ...) -> None: ...

class SaveTemplateResponse(_message.Message):
    __slots__ = ("saved",)
    SAVED_FIELD_NUMBER: _ClassVar[int]
    saved: SavedTemplate
    def __init__(self, saved: _Optional[_Union[SavedTemplate, _Mapping]] = ...) -> None: ...

class ListTemplateVersionsRequest(_message.Message):
    __slots__ = ("template_id",)
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    def __init__(self, template_id: _Optional[str] = ...) -> None: ...

class ListTemplateVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[SavedTemplate]
    def __init__(self, versions: _Optional[_Iterable[_Union[SavedTemplate, _Mapping]]] = ...) -> None: ...

class DeleteTemplateRequest(_message.Message):
    __slots__ = ("template_id",)
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    def __init__(self, template_id: _Optional[str] = ...) -> None: ...

class DeleteTemplateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetJobTemplateRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetJobTemplateResponse(_message.Message):
    __slots__ = ("template",)
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: _summary_pb2.Template
    def __init__(self, template: _Optional[_Union[_summary_pb2.Template, _Mapping]] = ...) -> None: ...
