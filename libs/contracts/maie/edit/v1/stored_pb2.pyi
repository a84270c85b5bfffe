import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SavedRevision(_message.Message):
    __slots__ = ("save_time", "author", "changed_segments", "text", "reverted_to")
    SAVE_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CHANGED_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REVERTED_TO_FIELD_NUMBER: _ClassVar[int]
    save_time: _timestamp_pb2.Timestamp
    author: str
    changed_segments: int
    text: _types_pb2.Blob
    reverted_to: int
    def __init__(self, save_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., changed_segments: _Optional[int] = ..., text: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., reverted_to: _Optional[int] = ...) -> None: ...

class EditedTranscript(_message.Message):
    __slots__ = ("pieces",)
    PIECES_FIELD_NUMBER: _ClassVar[int]
    pieces: _containers.RepeatedCompositeFieldContainer[EditedPiece]
    def __init__(self, pieces: _Optional[_Iterable[_Union[EditedPiece, _Mapping]]] = ...) -> None: ...

class EditedPiece(_message.Message):
    __slots__ = ("made", "edited")
    MADE_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    made: SegmentRun
    edited: _types_pb2.Segment
    def __init__(self, made: _Optional[_Union[SegmentRun, _Mapping]] = ..., edited: _Optional[_Union[_types_pb2.Segment, _Mapping]] = ...) -> None: ...

class SegmentRun(_message.Message):
    __slots__ = ("first_segment_id", "count")
    FIRST_SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    first_segment_id: str
    count: int
    def __init__(self, first_segment_id: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...
