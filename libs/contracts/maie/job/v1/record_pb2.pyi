import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.edit.v1 import stored_pb2 as _stored_pb2
from maie.event.v1 import event_pb2 as _event_pb2
from maie.job.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobRecord(_message.Message):
    __slots__ = ("job_id", "state", "config", "recording", "template", "pipeline_version", "traceparent", "units", "log", "facts", "template_sha256", "tenant", "display_name", "labels", "held", "asr_slots", "names_sequence", "pipeline", "secrets_key", "change", "revisions", "summary_job_ids", "origin", "template_version", "source_sha256", "speaker_names", "reading_options", "added_features")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class SpeakerNamesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    ASR_SLOTS_FIELD_NUMBER: _ClassVar[int]
    NAMES_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    SECRETS_KEY_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_NAMES_FIELD_NUMBER: _ClassVar[int]
    READING_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ADDED_FEATURES_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: _job_pb2.JobState
    config: _job_pb2.JobConfig
    recording: _types_pb2.Blob
    template: _types_pb2.Blob
    pipeline_version: str
    traceparent: str
    units: _containers.RepeatedCompositeFieldContainer[Unit]
    log: _containers.RepeatedCompositeFieldContainer[JobLogEntry]
    facts: _event_pb2.UnitFacts
    template_sha256: str
    tenant: str
    display_name: str
    labels: _containers.ScalarMap[str, str]
    held: bool
    asr_slots: int
    names_sequence: int
    pipeline: str
    secrets_key: str
    change: JobRecordChange
    revisions: _containers.RepeatedCompositeFieldContainer[_stored_pb2.SavedRevision]
    summary_job_ids: _containers.RepeatedScalarFieldContainer[str]
    origin: _job_pb2.JobOrigin
    template_version: int
    source_sha256: str
    speaker_names: _containers.ScalarMap[str, str]
    reading_options: _types_pb2.Blob
    added_features: _containers.RepeatedScalarFieldContainer[_job_pb2.Feature]
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[_job_pb2.JobState, str]] = ..., config: _Optional[_Union[_job_pb2.JobConfig, _Mapping]] = ..., recording: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., template: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., pipeline_version: _Optional[str] = ..., traceparent: _Optional[str] = ..., units: _Optional[_Iterable[_Union[Unit, _Mapping]]] = ..., log: _Optional[_Iterable[_Union[JobLogEntry, _Mapping]]] = ..., facts: _Optional[_Union[_event_pb2.UnitFacts, _Mapping]] = ..., template_sha256: _Optional[str] = ..., tenant: _Optional[str] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., held: _Optional[bool] = ..., asr_slots: _Optional[int] = ..., names_sequence: _Optional[int] = ..., pipeline: _Optional[str] = ..., secrets_key: _Optional[str] = ..., change: _Optional[_Union[JobRecordChange, _Mapping]] = ..., revisions: _Optional[_Iterable[_Union[_stored_pb2.SavedRevision, _Mapping]]] = ..., summary_job_ids: _Optional[_Iterable[str]] = ..., origin: _Optional[_Union[_job_pb2.JobOrigin, _Mapping]] = ..., template_version: _Optional[int] = ..., source_sha256: _Optional[str] = ..., speaker_names: _Optional[_Mapping[str, str]] = ..., reading_options: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., added_features: _Optional[_Iterable[_Union[_job_pb2.Feature, str]]] = ...) -> None: ...

class JobRecordChange(_message.Message):
    __slots__ = ("follows", "state", "held", "units", "log")
    FOLLOWS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    follows: int
    state: _job_pb2.JobState
    held: bool
    units: _containers.RepeatedCompositeFieldContainer[UnitChange]
    log: _containers.RepeatedCompositeFieldContainer[JobLogEntry]
    def __init__(self, follows: _Optional[int] = ..., state: _Optional[_Union[_job_pb2.JobState, str]] = ..., held: _Optional[bool] = ..., units: _Optional[_Iterable[_Union[UnitChange, _Mapping]]] = ..., log: _Optional[_Iterable[_Union[JobLogEntry, _Mapping]]] = ...) -> None: ...

class UnitChange(_message.Message):
    __slots__ = ("place", "unit")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    place: int
    unit: Unit
    def __init__(self, place: _Optional[int] = ..., unit: _Optional[_Union[Unit, _Mapping]] = ...) -> None: ...

class WebhookSecrets(_message.Message):
    __slots__ = ("secrets",)
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    secrets: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, secrets: _Optional[_Iterable[str]] = ...) -> None: ...

class JobNames(_message.Message):
    __slots__ = ("config", "display_name", "labels", "speaker_names")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class SpeakerNamesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_NAMES_FIELD_NUMBER: _ClassVar[int]
    config: _job_pb2.JobConfig
    display_name: str
    labels: _containers.ScalarMap[str, str]
    speaker_names: _containers.ScalarMap[str, str]
    def __init__(self, config: _Optional[_Union[_job_pb2.JobConfig, _Mapping]] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., speaker_names: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Unit(_message.Message):
    __slots__ = ("unit", "stage", "index", "state", "attempt", "output", "metrics", "failure", "pause", "needs", "queue_time", "span_id", "warning_reasons", "is_optional")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    PAUSE_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIME_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    WARNING_REASONS_FIELD_NUMBER: _ClassVar[int]
    IS_OPTIONAL_FIELD_NUMBER: _ClassVar[int]
    unit: str
    stage: _types_pb2.Stage
    index: int
    state: _job_pb2.UnitState
    attempt: int
    output: _types_pb2.Blob
    metrics: _types_pb2.UnitMetrics
    failure: _types_pb2.Failure
    pause: _duration_pb2.Duration
    needs: UnitNeeds
    queue_time: _timestamp_pb2.Timestamp
    span_id: bytes
    warning_reasons: _containers.RepeatedScalarFieldContainer[str]
    is_optional: bool
    def __init__(self, unit: _Optional[str] = ..., stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., index: _Optional[int] = ..., state: _Optional[_Union[_job_pb2.UnitState, str]] = ..., attempt: _Optional[int] = ..., output: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., metrics: _Optional[_Union[_types_pb2.UnitMetrics, _Mapping]] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ..., pause: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., needs: _Optional[_Union[UnitNeeds, _Mapping]] = ..., queue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., span_id: _Optional[bytes] = ..., warning_reasons: _Optional[_Iterable[str]] = ..., is_optional: _Optional[bool] = ...) -> None: ...

class UnitNeeds(_message.Message):
    __slots__ = ("places",)
    PLACES_FIELD_NUMBER: _ClassVar[int]
    places: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, places: _Optional[_Iterable[int]] = ...) -> None: ...

class JobLogEntry(_message.Message):
    __slots__ = ("event_time", "accepted", "state_changed", "unit_ended")
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    STATE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    UNIT_ENDED_FIELD_NUMBER: _ClassVar[int]
    event_time: _timestamp_pb2.Timestamp
    accepted: _job_pb2.JobAccepted
    state_changed: _job_pb2.JobStateChanged
    unit_ended: _job_pb2.UnitEnded
    def __init__(self, event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accepted: _Optional[_Union[_job_pb2.JobAccepted, _Mapping]] = ..., state_changed: _Optional[_Union[_job_pb2.JobStateChanged, _Mapping]] = ..., unit_ended: _Optional[_Union[_job_pb2.UnitEnded, _Mapping]] = ...) -> None: ...
