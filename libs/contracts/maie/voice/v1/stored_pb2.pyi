import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.voice.v1 import voice_pb2 as _voice_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredVoice(_message.Message):
    __slots__ = ("voice_id", "key_id", "profile")
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    voice_id: str
    key_id: str
    profile: bytes
    def __init__(self, voice_id: _Optional[str] = ..., key_id: _Optional[str] = ..., profile: _Optional[bytes] = ...) -> None: ...

class VoiceProfile(_message.Message):
    __slots__ = ("display_name", "revision", "create_time", "update_time", "updated_by", "enrollments")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    ENROLLMENTS_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    revision: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    updated_by: str
    enrollments: _containers.RepeatedCompositeFieldContainer[StoredEnrollment]
    def __init__(self, display_name: _Optional[str] = ..., revision: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_by: _Optional[str] = ..., enrollments: _Optional[_Iterable[_Union[StoredEnrollment, _Mapping]]] = ...) -> None: ...

class StoredEnrollment(_message.Message):
    __slots__ = ("shown", "embedding", "embedding_space")
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_SPACE_FIELD_NUMBER: _ClassVar[int]
    shown: _voice_pb2.Enrollment
    embedding: bytes
    embedding_space: str
    def __init__(self, shown: _Optional[_Union[_voice_pb2.Enrollment, _Mapping]] = ..., embedding: _Optional[bytes] = ..., embedding_space: _Optional[str] = ...) -> None: ...
