import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.access.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredKey(_message.Message):
    __slots__ = ("key", "secrets")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    key: _access_pb2.ApiKey
    secrets: _containers.RepeatedCompositeFieldContainer[StoredSecret]
    def __init__(self, key: _Optional[_Union[_access_pb2.ApiKey, _Mapping]] = ..., secrets: _Optional[_Iterable[_Union[StoredSecret, _Mapping]]] = ...) -> None: ...

class StoredSecret(_message.Message):
    __slots__ = ("sha256", "expire_time")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    sha256: bytes
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, sha256: _Optional[bytes] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
