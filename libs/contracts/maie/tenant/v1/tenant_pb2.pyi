import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TenantLimits(_message.Message):
    __slots__ = ("requests_per_second", "requests_burst", "streams", "watches", "uploads", "live_sessions", "active_jobs", "audio_hours_per_day", "voices")
    REQUESTS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_BURST_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    WATCHES_FIELD_NUMBER: _ClassVar[int]
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    LIVE_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_JOBS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_HOURS_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    VOICES_FIELD_NUMBER: _ClassVar[int]
    requests_per_second: float
    requests_burst: int
    streams: int
    watches: int
    uploads: int
    live_sessions: int
    active_jobs: int
    audio_hours_per_day: float
    voices: int
    def __init__(self, requests_per_second: _Optional[float] = ..., requests_burst: _Optional[int] = ..., streams: _Optional[int] = ..., watches: _Optional[int] = ..., uploads: _Optional[int] = ..., live_sessions: _Optional[int] = ..., active_jobs: _Optional[int] = ..., audio_hours_per_day: _Optional[float] = ..., voices: _Optional[int] = ...) -> None: ...

class TenantUse(_message.Message):
    __slots__ = ("running_jobs", "held_jobs", "live_sessions", "audio_today", "jobs", "unfinished_uploads", "keys")
    RUNNING_JOBS_FIELD_NUMBER: _ClassVar[int]
    HELD_JOBS_FIELD_NUMBER: _ClassVar[int]
    LIVE_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_TODAY_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_UPLOADS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    running_jobs: int
    held_jobs: int
    live_sessions: int
    audio_today: _duration_pb2.Duration
    jobs: int
    unfinished_uploads: int
    keys: int
    def __init__(self, running_jobs: _Optional[int] = ..., held_jobs: _Optional[int] = ..., live_sessions: _Optional[int] = ..., audio_today: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., jobs: _Optional[int] = ..., unfinished_uploads: _Optional[int] = ..., keys: _Optional[int] = ...) -> None: ...

class Tenant(_message.Message):
    __slots__ = ("tenant", "use", "limits", "own_limits", "limits_revision", "removing")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    OWN_LIMITS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_REVISION_FIELD_NUMBER: _ClassVar[int]
    REMOVING_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    use: TenantUse
    limits: TenantLimits
    own_limits: TenantLimits
    limits_revision: int
    removing: bool
    def __init__(self, tenant: _Optional[str] = ..., use: _Optional[_Union[TenantUse, _Mapping]] = ..., limits: _Optional[_Union[TenantLimits, _Mapping]] = ..., own_limits: _Optional[_Union[TenantLimits, _Mapping]] = ..., limits_revision: _Optional[int] = ..., removing: _Optional[bool] = ...) -> None: ...

class ListTenantsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTenantsResponse(_message.Message):
    __slots__ = ("tenants",)
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    tenants: _containers.RepeatedCompositeFieldContainer[Tenant]
    def __init__(self, tenants: _Optional[_Iterable[_Union[Tenant, _Mapping]]] = ...) -> None: ...

class SetTenantLimitsRequest(_message.Message):
    __slots__ = ("tenant", "limits", "base_revision")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    limits: TenantLimits
    base_revision: int
    def __init__(self, tenant: _Optional[str] = ..., limits: _Optional[_Union[TenantLimits, _Mapping]] = ..., base_revision: _Optional[int] = ...) -> None: ...

class SetTenantLimitsResponse(_message.Message):
    __slots__ = ("limits_revision",)
    LIMITS_REVISION_FIELD_NUMBER: _ClassVar[int]
    limits_revision: int
    def __init__(self, limits_revision: _Optional[int] = ...) -> None: ...

class RemoveTenantRequest(_message.Message):
    __slots__ = ("tenant",)
    TENANT_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    def __init__(self, tenant: _Optional[str] = ...) -> None: ...

class RemoveTenantResponse(_message.Message):
    __slots__ = ("removed_jobs", "done")
    REMOVED_JOBS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    removed_jobs: int
    done: bool
    def __init__(self, removed_jobs: _Optional[int] = ..., done: _Optional[bool] = ...) -> None: ...
