import datetime

from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.asr.v1 import asr_pb2 as _asr_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.diarization.v1 import diarization_pb2 as _diarization_pb2
from maie.edit.v1 import stored_pb2 as _stored_pb2
from maie.enhancement.v1 import enhancement_pb2 as _enhancement_pb2
from maie.preprocess.v1 import preprocess_pb2 as _preprocess_pb2
from maie.speech.v1 import speech_pb2 as _speech_pb2
from maie.summary.v1 import summary_pb2 as _summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StageTask(_message.Message):
    __slots__ = ("job_id", "unit", "attempt", "report_start", "traceparent", "pause", "stage", "tenant", "earlier_span_ids", "preprocess", "asr", "enhancement", "summary", "other", "diarization")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REPORT_START_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    PAUSE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    EARLIER_SPAN_IDS_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    ASR_FIELD_NUMBER: _ClassVar[int]
    ENHANCEMENT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    DIARIZATION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    unit: str
    attempt: int
    report_start: bool
    traceparent: str
    pause: _duration_pb2.Duration
    stage: _types_pb2.Stage
    tenant: str
    earlier_span_ids: _containers.RepeatedScalarFieldContainer[bytes]
    preprocess: _preprocess_pb2.PreprocessRequest
    asr: _asr_pb2.TranscribeRequest
    enhancement: _enhancement_pb2.EnhanceRequest
    summary: _summary_pb2.SummarizeRequest
    other: _any_pb2.Any
    diarization: _diarization_pb2.DiarizeRequest
    def __init__(self, job_id: _Optional[str] = ..., unit: _Optional[str] = ..., attempt: _Optional[int] = ..., report_start: _Optional[bool] = ..., traceparent: _Optional[str] = ..., pause: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., tenant: _Optional[str] = ..., earlier_span_ids: _Optional[_Iterable[bytes]] = ..., preprocess: _Optional[_Union[_preprocess_pb2.PreprocessRequest, _Mapping]] = ..., asr: _Optional[_Union[_asr_pb2.TranscribeRequest, _Mapping]] = ..., enhancement: _Optional[_Union[_enhancement_pb2.EnhanceRequest, _Mapping]] = ..., summary: _Optional[_Union[_summary_pb2.SummarizeRequest, _Mapping]] = ..., other: _Optional[_Union[_any_pb2.Any, _Mapping]] = ..., diarization: _Optional[_Union[_diarization_pb2.DiarizeRequest, _Mapping]] = ...) -> None: ...

class StageEvent(_message.Message):
    __slots__ = ("job_id", "unit", "attempt", "event_time", "worker", "span_id", "started", "progress", "completed", "failed", "cancel_requested", "retry_requested", "job_updated", "job_released", "revision_saved", "summary_requested", "optional_units_late")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    RETRY_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    JOB_UPDATED_FIELD_NUMBER: _ClassVar[int]
    JOB_RELEASED_FIELD_NUMBER: _ClassVar[int]
    REVISION_SAVED_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    OPTIONAL_UNITS_LATE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    unit: str
    attempt: int
    event_time: _timestamp_pb2.Timestamp
    worker: str
    span_id: bytes
    started: UnitStarted
    progress: UnitProgress
    completed: UnitCompleted
    failed: UnitFailed
    cancel_requested: CancelRequested
    retry_requested: RetryRequested
    job_updated: JobUpdated
    job_released: JobReleased
    revision_saved: RevisionSaved
    summary_requested: SummaryRequested
    optional_units_late: OptionalUnitsLate
    def __init__(self, job_id: _Optional[str] = ..., unit: _Optional[str] = ..., attempt: _Optional[int] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., worker: _Optional[str] = ..., span_id: _Optional[bytes] = ..., started: _Optional[_Union[UnitStarted, _Mapping]] = ..., progress: _Optional[_Union[UnitProgress, _Mapping]] = ..., completed: _Optional[_Union[UnitCompleted, _Mapping]] = ..., failed: _Optional[_Union[UnitFailed, _Mapping]] = ..., cancel_requested: _Optional[_Union[CancelRequested, _Mapping]] = ..., retry_requested: _Optional[_Union[RetryRequested, _Mapping]] = ..., job_updated: _Optional[_Union[JobUpdated, _Mapping]] = ..., job_released: _Optional[_Union[JobReleased, _Mapping]] = ..., revision_saved: _Optional[_Union[RevisionSaved, _Mapping]] = ..., summary_requested: _Optional[_Union[SummaryRequested, _Mapping]] = ..., optional_units_late: _Optional[_Union[OptionalUnitsLate, _Mapping]] = ...) -> None: ...

class UnitStarted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UnitProgress(_message.Message):
    __slots__ = ("preprocess", "asr", "enhancement", "summary", "other", "diarization")
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    ASR_FIELD_NUMBER: _ClassVar[int]
    ENHANCEMENT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    DIARIZATION_FIELD_NUMBER: _ClassVar[int]
    preprocess: _preprocess_pb2.PreprocessResponse
    asr: _asr_pb2.TranscribeResponse
    enhancement: _enhancement_pb2.EnhanceResponse
    summary: _summary_pb2.SummarizeResponse
    other: _any_pb2.Any
    diarization: _diarization_pb2.DiarizeResponse
    def __init__(self, preprocess: _Optional[_Union[_preprocess_pb2.PreprocessResponse, _Mapping]] = ..., asr: _Optional[_Union[_asr_pb2.TranscribeResponse, _Mapping]] = ..., enhancement: _Optional[_Union[_enhancement_pb2.EnhanceResponse, _Mapping]] = ..., summary: _Optional[_Union[_summary_pb2.SummarizeResponse, _Mapping]] = ..., other: _Optional[_Union[_any_pb2.Any, _Mapping]] = ..., diarization: _Optional[_Union[_diarization_pb2.DiarizeResponse, _Mapping]] = ...) -> None: ...

class UnitCompleted(_message.Message):
    __slots__ = ("output", "metrics", "facts", "chunk_outputs", "warning_reasons")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    WARNING_REASONS_FIELD_NUMBER: _ClassVar[int]
    output: _types_pb2.Blob
    metrics: _types_pb2.UnitMetrics
    facts: UnitFacts
    chunk_outputs: _containers.RepeatedCompositeFieldContainer[_types_pb2.Blob]
    warning_reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, output: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., metrics: _Optional[_Union[_types_pb2.UnitMetrics, _Mapping]] = ..., facts: _Optional[_Union[UnitFacts, _Mapping]] = ..., chunk_outputs: _Optional[_Iterable[_Union[_types_pb2.Blob, _Mapping]]] = ..., warning_reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class UnitFacts(_message.Message):
    __slots__ = ("chunk_count", "duration", "punctuated", "without_summary")
    CHUNK_COUNT_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    PUNCTUATED_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    chunk_count: int
    duration: _duration_pb2.Duration
    punctuated: bool
    without_summary: bool
    def __init__(self, chunk_count: _Optional[int] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., punctuated: _Optional[bool] = ..., without_summary: _Optional[bool] = ...) -> None: ...

class UnitFailed(_message.Message):
    __slots__ = ("failure", "retryable", "metrics")
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    failure: _types_pb2.Failure
    retryable: bool
    metrics: _types_pb2.UnitMetrics
    def __init__(self, failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ..., retryable: _Optional[bool] = ..., metrics: _Optional[_Union[_types_pb2.UnitMetrics, _Mapping]] = ...) -> None: ...

class CancelRequested(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RetryRequested(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class JobUpdated(_message.Message):
    __slots__ = ("display_name", "labels", "speaker_names")
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
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_NAMES_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    labels: _containers.ScalarMap[str, str]
    speaker_names: _containers.ScalarMap[str, str]
    def __init__(self, display_name: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., speaker_names: _Optional[_Mapping[str, str]] = ...) -> None: ...

class JobReleased(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OptionalUnitsLate(_message.Message):
    __slots__ = ("failure",)
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    failure: _types_pb2.Failure
    def __init__(self, failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ...) -> None: ...

class SummaryRequested(_message.Message):
    __slots__ = ("summary_job_id",)
    SUMMARY_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    summary_job_id: str
    def __init__(self, summary_job_id: _Optional[str] = ...) -> None: ...

class RevisionSaved(_message.Message):
    __slots__ = ("base_revision", "revision")
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    base_revision: int
    revision: _stored_pb2.SavedRevision
    def __init__(self, base_revision: _Optional[int] = ..., revision: _Optional[_Union[_stored_pb2.SavedRevision, _Mapping]] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("task", "failure", "dead_time", "webhook")
    TASK_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    DEAD_TIME_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    task: StageTask
    failure: _types_pb2.Failure
    dead_time: _timestamp_pb2.Timestamp
    webhook: WebhookDelivery
    def __init__(self, task: _Optional[_Union[StageTask, _Mapping]] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ..., dead_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., webhook: _Optional[_Union[WebhookDelivery, _Mapping]] = ...) -> None: ...

class WebhookDelivery(_message.Message):
    __slots__ = ("job_id", "tenant", "receiver", "url", "event_id", "state", "finish_time", "display_name", "labels", "failures", "attempt", "final")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    tenant: str
    receiver: str
    url: str
    event_id: str
    state: str
    finish_time: _timestamp_pb2.Timestamp
    display_name: str
    labels: _containers.ScalarMap[str, str]
    failures: _containers.RepeatedCompositeFieldContainer[_types_pb2.Failure]
    attempt: int
    final: _any_pb2.Any
    def __init__(self, job_id: _Optional[str] = ..., tenant: _Optional[str] = ..., receiver: _Optional[str] = ..., url: _Optional[str] = ..., event_id: _Optional[str] = ..., state: _Optional[str] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., failures: _Optional[_Iterable[_Union[_types_pb2.Failure, _Mapping]]] = ..., attempt: _Optional[int] = ..., final: _Optional[_Union[_any_pb2.Any, _Mapping]] = ...) -> None: ...

class DataKeyRequest(_message.Message):
    __slots__ = ("public_key",)
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    public_key: bytes
    def __init__(self, public_key: _Optional[bytes] = ...) -> None: ...

class DataKeyResponse(_message.Message):
    __slots__ = ("sealed_key", "failure", "public_key", "sealed_others")
    SEALED_KEY_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    SEALED_OTHERS_FIELD_NUMBER: _ClassVar[int]
    sealed_key: bytes
    failure: _types_pb2.Failure
    public_key: bytes
    sealed_others: bytes
    def __init__(self, sealed_key: _Optional[bytes] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ..., public_key: _Optional[bytes] = ..., sealed_others: _Optional[bytes] = ...) -> None: ...

class DataKeys(_message.Message):
    __slots__ = ("keys",)
    KEYS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[JobDataKey]
    def __init__(self, keys: _Optional[_Iterable[_Union[JobDataKey, _Mapping]]] = ...) -> None: ...

class JobDataKey(_message.Message):
    __slots__ = ("job_id", "key")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    key: bytes
    def __init__(self, job_id: _Optional[str] = ..., key: _Optional[bytes] = ...) -> None: ...

class WorkerInfo(_message.Message):
    __slots__ = ("stage", "instance", "address", "version", "slots", "start_time", "models", "memory", "live_tracks", "live_tracks_in_use", "running", "errors", "live_sessions", "optional_stages")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    LIVE_TRACKS_FIELD_NUMBER: _ClassVar[int]
    LIVE_TRACKS_IN_USE_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    LIVE_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    OPTIONAL_STAGES_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    instance: str
    address: str
    version: str
    slots: int
    start_time: _timestamp_pb2.Timestamp
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    memory: WorkerMemory
    live_tracks: int
    live_tracks_in_use: int
    running: _containers.RepeatedCompositeFieldContainer[RunningUnit]
    errors: PartErrors
    live_sessions: int
    optional_stages: _containers.RepeatedScalarFieldContainer[_types_pb2.Stage]
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., instance: _Optional[str] = ..., address: _Optional[str] = ..., version: _Optional[str] = ..., slots: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ..., memory: _Optional[_Union[WorkerMemory, _Mapping]] = ..., live_tracks: _Optional[int] = ..., live_tracks_in_use: _Optional[int] = ..., running: _Optional[_Iterable[_Union[RunningUnit, _Mapping]]] = ..., errors: _Optional[_Union[PartErrors, _Mapping]] = ..., live_sessions: _Optional[int] = ..., optional_stages: _Optional[_Iterable[_Union[_types_pb2.Stage, str]]] = ...) -> None: ...

class PartErrors(_message.Message):
    __slots__ = ("calls", "units", "broker", "store")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    BROKER_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    calls: int
    units: int
    broker: int
    store: int
    def __init__(self, calls: _Optional[int] = ..., units: _Optional[int] = ..., broker: _Optional[int] = ..., store: _Optional[int] = ...) -> None: ...

class RunningUnit(_message.Message):
    __slots__ = ("job_id", "unit", "attempt", "start_time")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    unit: str
    attempt: int
    start_time: _timestamp_pb2.Timestamp
    def __init__(self, job_id: _Optional[str] = ..., unit: _Optional[str] = ..., attempt: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WorkerMemory(_message.Message):
    __slots__ = ("rss_bytes", "gpu_bytes", "shared_gpu", "loaded", "loads", "moving_duration")
    RSS_BYTES_FIELD_NUMBER: _ClassVar[int]
    GPU_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHARED_GPU_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    MOVING_DURATION_FIELD_NUMBER: _ClassVar[int]
    rss_bytes: int
    gpu_bytes: int
    shared_gpu: str
    loaded: bool
    loads: int
    moving_duration: _duration_pb2.Duration
    def __init__(self, rss_bytes: _Optional[int] = ..., gpu_bytes: _Optional[int] = ..., shared_gpu: _Optional[str] = ..., loaded: _Optional[bool] = ..., loads: _Optional[int] = ..., moving_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("engine", "description", "capabilities", "language_codes", "vram_bytes", "voices")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    VRAM_BYTES_FIELD_NUMBER: _ClassVar[int]
    VOICES_FIELD_NUMBER: _ClassVar[int]
    engine: _types_pb2.EngineVersion
    description: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    language_codes: _containers.RepeatedScalarFieldContainer[str]
    vram_bytes: int
    voices: _containers.RepeatedCompositeFieldContainer[_speech_pb2.Voice]
    def __init__(self, engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., description: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., language_codes: _Optional[_Iterable[str]] = ..., vram_bytes: _Optional[int] = ..., voices: _Optional[_Iterable[_Union[_speech_pb2.Voice, _Mapping]]] = ...) -> None: ...
