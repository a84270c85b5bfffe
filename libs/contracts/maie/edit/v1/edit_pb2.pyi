import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Revision(_message.Message):
    __slots__ = ("revision", "save_time", "author", "changed_segments", "reverted_to")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SAVE_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CHANGED_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    REVERTED_TO_FIELD_NUMBER: _ClassVar[int]
    revision: int
    save_time: _timestamp_pb2.Timestamp
    author: str
    changed_segments: int
    reverted_to: int
    def __init__(self, revision: _Optional[int] = ..., save_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., changed_segments: _Optional[int] = ..., reverted_to: _Optional[int] = ...) -> None: ...

class SegmentEdit(_message.Message):
    __slots__ = ("segment_ids", "segments")
    SEGMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    segment_ids: _containers.RepeatedScalarFieldContainer[str]
    segments: _containers.RepeatedCompositeFieldContainer[EditedSegment]
    def __init__(self, segment_ids: _Optional[_Iterable[str]] = ..., segments: _Optional[_Iterable[_Union[EditedSegment, _Mapping]]] = ...) -> None: ...

class EditedSegment(_message.Message):
    __slots__ = ("text", "start_offset", "end_offset", "speaker")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    text: str
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    speaker: str
    def __init__(self, text: _Optional[str] = ..., start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., speaker: _Optional[str] = ...) -> None: ...

class SaveRevisionRequest(_message.Message):
    __slots__ = ("job_id", "base_revision", "edits")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    base_revision: int
    edits: _containers.RepeatedCompositeFieldContainer[SegmentEdit]
    def __init__(self, job_id: _Optional[str] = ..., base_revision: _Optional[int] = ..., edits: _Optional[_Iterable[_Union[SegmentEdit, _Mapping]]] = ...) -> None: ...

class SaveRevisionResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ...) -> None: ...

class GetRevisionRequest(_message.Message):
    __slots__ = ("job_id", "revision")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    revision: int
    def __init__(self, job_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class GetRevisionResponse(_message.Message):
    __slots__ = ("revision", "segments", "newest_revision")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    segments: _containers.RepeatedCompositeFieldContainer[_types_pb2.Segment]
    newest_revision: int
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ..., segments: _Optional[_Iterable[_Union[_types_pb2.Segment, _Mapping]]] = ..., newest_revision: _Optional[int] = ...) -> None: ...

class ListRevisionsRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class ListRevisionsResponse(_message.Message):
    __slots__ = ("revisions",)
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    revisions: _containers.RepeatedCompositeFieldContainer[Revision]
    def __init__(self, revisions: _Optional[_Iterable[_Union[Revision, _Mapping]]] = ...) -> None: ...

class RevertRevisionRequest(_message.Message):
    __slots__ = ("job_id", "base_revision", "revision")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    base_revision: int
    revision: int
    def __init__(self, job_id: _Optional[str] = ..., base_revision: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class RevertRevisionResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ...) -> None: ...

class SummarizeRevisionRequest(_message.Message):
    __slots__ = ("job_id", "revision", "template_id")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    revision: int
    template_id: str
    def __init__(self, job_id: _Optional[str] = ..., revision: _Optional[int] = ..., template_id: _Optional[str] = ...) -> None: ...

class SummarizeRevisionResponse(_message.Message):
    __slots__ = ("summary_job_id",)
    SUMMARY_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    summary_job_id: str
    def __init__(self, summary_job_id: _Optional[str] = ...) -> None: ...
