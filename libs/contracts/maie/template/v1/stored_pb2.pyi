import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredTemplate(_message.Message):
    __slots__ = ("last_version", "key_id", "history", "delete_time")
    LAST_VERSION_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    last_version: int
    key_id: str
    history: bytes
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, last_version: _Optional[int] = ..., key_id: _Optional[str] = ..., history: _Optional[bytes] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TemplateHistory(_message.Message):
    __slots__ = ("title", "description", "versions")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    title: str
    description: str
    versions: _containers.RepeatedCompositeFieldContainer[SavedVersion]
    def __init__(self, title: _Optional[str] = ..., description: _Optional[str] = ..., versions: _Optional[_Iterable[_Union[SavedVersion, _Mapping]]] = ...) -> None: ...

class SavedVersion(_message.Message):
    __slots__ = ("version", "base_version", "save_time", "author", "sha256", "content_id")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SAVE_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    CONTENT_ID_FIELD_NUMBER: _ClassVar[int]
    version: int
    base_version: int
    save_time: _timestamp_pb2.Timestamp
    author: str
    sha256: str
    content_id: str
    def __init__(self, version: _Optional[int] = ..., base_version: _Optional[int] = ..., save_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., sha256: _Optional[str] = ..., content_id: _Optional[str] = ...) -> None: ...
