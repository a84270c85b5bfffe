import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.event.v1 import event_pb2 as _event_pb2
from maie.summary.v1 import summary_pb2 as _summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListModelsRequest(_message.Message):
    __slots__ = ("stage",)
    STAGE_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("stage", "info", "worker_count")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    WORKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    info: _event_pb2.ModelInfo
    worker_count: int
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., info: _Optional[_Union[_event_pb2.ModelInfo, _Mapping]] = ..., worker_count: _Optional[int] = ...) -> None: ...

class ListTemplatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTemplatesResponse(_message.Message):
    __slots__ = ("templates",)
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    templates: _containers.RepeatedCompositeFieldContainer[_summary_pb2.Template]
    def __init__(self, templates: _Optional[_Iterable[_Union[_summary_pb2.Template, _Mapping]]] = ...) -> None: ...

class GetTemplateRequest(_message.Message):
    __slots__ = ("template_id", "version")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    version: int
    def __init__(self, template_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetTemplateResponse(_message.Message):
    __slots__ = ("template",)
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: _summary_pb2.Template
    def __init__(self, template: _Optional[_Union[_summary_pb2.Template, _Mapping]] = ...) -> None: ...

class GetMeshRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetMeshResponse(_message.Message):
    __slots__ = ("version", "stages", "active_jobs", "max_active_jobs", "blob_store", "held_jobs", "live_sessions", "dead_letters", "throughput", "gateways")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_JOBS_FIELD_NUMBER: _ClassVar[int]
    MAX_ACTIVE_JOBS_FIELD_NUMBER: _ClassVar[int]
    BLOB_STORE_FIELD_NUMBER: _ClassVar[int]
    HELD_JOBS_FIELD_NUMBER: _ClassVar[int]
    LIVE_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    THROUGHPUT_FIELD_NUMBER: _ClassVar[int]
    GATEWAYS_FIELD_NUMBER: _ClassVar[int]
    version: str
    stages: _containers.RepeatedCompositeFieldContainer[StageStatus]
    active_jobs: int
    max_active_jobs: int
    blob_store: str
    held_jobs: int
    live_sessions: int
    dead_letters: int
    throughput: Throughput
    gateways: _containers.RepeatedCompositeFieldContainer[_event_pb2.WorkerInfo]
    def __init__(self, version: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[StageStatus, _Mapping]]] = ..., active_jobs: _Optional[int] = ..., max_active_jobs: _Optional[int] = ..., blob_store: _Optional[str] = ..., held_jobs: _Optional[int] = ..., live_sessions: _Optional[int] = ..., dead_letters: _Optional[int] = ..., throughput: _Optional[_Union[Throughput, _Mapping]] = ..., gateways: _Optional[_Iterable[_Union[_event_pb2.WorkerInfo, _Mapping]]] = ...) -> None: ...

class Throughput(_message.Message):
    __slots__ = ("window", "completed_jobs", "failed_jobs", "cancelled_jobs", "audio", "failures")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_JOBS_FIELD_NUMBER: _ClassVar[int]
    FAILED_JOBS_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_JOBS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    window: _duration_pb2.Duration
    completed_jobs: int
    failed_jobs: int
    cancelled_jobs: int
    audio: _duration_pb2.Duration
    failures: _containers.RepeatedCompositeFieldContainer[RecentFailure]
    def __init__(self, window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., completed_jobs: _Optional[int] = ..., failed_jobs: _Optional[int] = ..., cancelled_jobs: _Optional[int] = ..., audio: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., failures: _Optional[_Iterable[_Union[RecentFailure, _Mapping]]] = ...) -> None: ...

class RecentFailure(_message.Message):
    __slots__ = ("job_id", "fail_time", "unit", "reason")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FAIL_TIME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    fail_time: _timestamp_pb2.Timestamp
    unit: str
    reason: str
    def __init__(self, job_id: _Optional[str] = ..., fail_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unit: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class StageStatus(_message.Message):
    __slots__ = ("stage", "workers", "pending_units", "running_units", "demand")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    PENDING_UNITS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_UNITS_FIELD_NUMBER: _ClassVar[int]
    DEMAND_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    workers: _containers.RepeatedCompositeFieldContainer[_event_pb2.WorkerInfo]
    pending_units: int
    running_units: int
    demand: _containers.RepeatedCompositeFieldContainer[LaneDemand]
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., workers: _Optional[_Iterable[_Union[_event_pb2.WorkerInfo, _Mapping]]] = ..., pending_units: _Optional[int] = ..., running_units: _Optional[int] = ..., demand: _Optional[_Iterable[_Union[LaneDemand, _Mapping]]] = ...) -> None: ...

class LaneDemand(_message.Message):
    __slots__ = ("lane", "runnable_units", "pending_units", "running_units", "oldest_age")
    LANE_FIELD_NUMBER: _ClassVar[int]
    RUNNABLE_UNITS_FIELD_NUMBER: _ClassVar[int]
    PENDING_UNITS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_UNITS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AGE_FIELD_NUMBER: _ClassVar[int]
    lane: str
    runnable_units: int
    pending_units: int
    running_units: int
    oldest_age: _duration_pb2.Duration
    def __init__(self, lane: _Optional[str] = ..., runnable_units: _Optional[int] = ..., pending_units: _Optional[int] = ..., running_units: _Optional[int] = ..., oldest_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
