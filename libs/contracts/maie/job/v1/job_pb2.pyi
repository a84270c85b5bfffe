import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from maie.alignment.v1 import alignment_pb2 as _alignment_pb2
from maie.asr.v1 import asr_pb2 as _asr_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.diarization.v1 import diarization_pb2 as _diarization_pb2
from maie.preprocess.v1 import preprocess_pb2 as _preprocess_pb2
from maie.quality.v1 import quality_pb2 as _quality_pb2
from maie.speech.v1 import speech_pb2 as _speech_pb2
from maie.summary.v1 import summary_pb2 as _summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Lane(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LANE_UNSPECIFIED: _ClassVar[Lane]
    LANE_INTERACTIVE: _ClassVar[Lane]
    LANE_BATCH: _ClassVar[Lane]

class Feature(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEATURE_UNSPECIFIED: _ClassVar[Feature]
    FEATURE_RAW_TRANSCRIPT: _ClassVar[Feature]
    FEATURE_CLEAN_TRANSCRIPT: _ClassVar[Feature]
    FEATURE_SUMMARY: _ClassVar[Feature]
    FEATURE_ENHANCEMENT_METRICS: _ClassVar[Feature]
    FEATURE_SPEAKERS: _ClassVar[Feature]
    FEATURE_QUALITY: _ClassVar[Feature]
    FEATURE_DIGEST: _ClassVar[Feature]
    FEATURE_READING: _ClassVar[Feature]

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_PENDING: _ClassVar[JobState]
    JOB_STATE_PREPROCESSING: _ClassVar[JobState]
    JOB_STATE_PROCESSING_ASR: _ClassVar[JobState]
    JOB_STATE_PROCESSING_LLM: _ClassVar[JobState]
    JOB_STATE_COMPLETE: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]

class WebhookEvent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WEBHOOK_EVENT_UNSPECIFIED: _ClassVar[WebhookEvent]
    WEBHOOK_EVENT_JOB_FINISHED: _ClassVar[WebhookEvent]
    WEBHOOK_EVENT_LIVE_FINAL: _ClassVar[WebhookEvent]

class UnitState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNIT_STATE_UNSPECIFIED: _ClassVar[UnitState]
    UNIT_STATE_WAITING: _ClassVar[UnitState]
    UNIT_STATE_QUEUED: _ClassVar[UnitState]
    UNIT_STATE_COMPLETED: _ClassVar[UnitState]
    UNIT_STATE_FAILED: _ClassVar[UnitState]
    UNIT_STATE_SKIPPED: _ClassVar[UnitState]
    UNIT_STATE_BLOCKED: _ClassVar[UnitState]

class AudioSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIO_SOURCE_UNSPECIFIED: _ClassVar[AudioSource]
    AUDIO_SOURCE_RECORDING: _ClassVar[AudioSource]
    AUDIO_SOURCE_DIGEST: _ClassVar[AudioSource]
LANE_UNSPECIFIED: Lane
LANE_INTERACTIVE: Lane
LANE_BATCH: Lane
FEATURE_UNSPECIFIED: Feature
FEATURE_RAW_TRANSCRIPT: Feature
FEATURE_CLEAN_TRANSCRIPT: Feature
FEATURE_SUMMARY: Feature
FEATURE_ENHANCEMENT_METRICS: Feature
FEATURE_SPEAKERS: Feature
FEATURE_QUALITY: Feature
FEATURE_DIGEST: Feature
FEATURE_READING: Feature
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_PENDING: JobState
JOB_STATE_PREPROCESSING: JobState
JOB_STATE_PROCESSING_ASR: JobState
JOB_STATE_PROCESSING_LLM: JobState
JOB_STATE_COMPLETE: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState
WEBHOOK_EVENT_UNSPECIFIED: WebhookEvent
WEBHOOK_EVENT_JOB_FINISHED: WebhookEvent
WEBHOOK_EVENT_LIVE_FINAL: WebhookEvent
UNIT_STATE_UNSPECIFIED: UnitState
UNIT_STATE_WAITING: UnitState
UNIT_STATE_QUEUED: UnitState
UNIT_STATE_COMPLETED: UnitState
UNIT_STATE_FAILED: UnitState
UNIT_STATE_SKIPPED: UnitState
UNIT_STATE_BLOCKED: UnitState
AUDIO_SOURCE_UNSPECIFIED: AudioSource
AUDIO_SOURCE_RECORDING: AudioSource
AUDIO_SOURCE_DIGEST: AudioSource

class JobConfig(_message.Message):
    __slots__ = ("features", "template_id", "filename", "asr_options", "chunk_duration", "request_id", "display_name", "labels", "lane", "webhooks", "enhancement_generation", "summary_generation", "recording_options", "speaker_options", "speech_options", "reading_options")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    ASR_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_DURATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    WEBHOOKS_FIELD_NUMBER: _ClassVar[int]
    ENHANCEMENT_GENERATION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_GENERATION_FIELD_NUMBER: _ClassVar[int]
    RECORDING_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    SPEECH_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    READING_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    features: _containers.RepeatedScalarFieldContainer[Feature]
    template_id: str
    filename: str
    asr_options: _asr_pb2.TranscribeOptions
    chunk_duration: _duration_pb2.Duration
    request_id: str
    display_name: str
    labels: _containers.ScalarMap[str, str]
    lane: Lane
    webhooks: _containers.RepeatedCompositeFieldContainer[Webhook]
    enhancement_generation: _types_pb2.GenerationOptions
    summary_generation: _types_pb2.GenerationOptions
    recording_options: _preprocess_pb2.RecordingOptions
    speaker_options: _diarization_pb2.SpeakerOptions
    speech_options: _speech_pb2.SpeechOptions
    reading_options: _alignment_pb2.ReadingOptions
    def __init__(self, features: _Optional[_Iterable[_Union[Feature, str]]] = ..., template_id: _Optional[str] = ..., filename: _Optional[str] = ..., asr_options: _Optional[_Union[_asr_pb2.TranscribeOptions, _Mapping]] = ..., chunk_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_id: _Optional[str] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., lane: _Optional[_Union[Lane, str]] = ..., webhooks: _Optional[_Iterable[_Union[Webhook, _Mapping]]] = ..., enhancement_generation: _Optional[_Union[_types_pb2.GenerationOptions, _Mapping]] = ..., summary_generation: _Optional[_Union[_types_pb2.GenerationOptions, _Mapping]] = ..., recording_options: _Optional[_Union[_preprocess_pb2.RecordingOptions, _Mapping]] = ..., speaker_options: _Optional[_Union[_diarization_pb2.SpeakerOptions, _Mapping]] = ..., speech_options: _Optional[_Union[_speech_pb2.SpeechOptions, _Mapping]] = ..., reading_options: _Optional[_Union[_alignment_pb2.ReadingOptions, _Mapping]] = ...) -> None: ...

class Webhook(_message.Message):
    __slots__ = ("url", "secret", "events")
    URL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    url: str
    secret: str
    events: _containers.RepeatedScalarFieldContainer[WebhookEvent]
    def __init__(self, url: _Optional[str] = ..., secret: _Optional[str] = ..., events: _Optional[_Iterable[_Union[WebhookEvent, str]]] = ...) -> None: ...

class UploadPart(_message.Message):
    __slots__ = ("config", "audio", "finish")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    config: JobConfig
    audio: bytes
    finish: UploadFinish
    def __init__(self, config: _Optional[_Union[JobConfig, _Mapping]] = ..., audio: _Optional[bytes] = ..., finish: _Optional[_Union[UploadFinish, _Mapping]] = ...) -> None: ...

class UploadFinish(_message.Message):
    __slots__ = ("size_bytes", "sha256", "config")
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    size_bytes: int
    sha256: str
    config: JobConfig
    def __init__(self, size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., config: _Optional[_Union[JobConfig, _Mapping]] = ...) -> None: ...

class ProcessAudioRequest(_message.Message):
    __slots__ = ("upload",)
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    upload: UploadPart
    def __init__(self, upload: _Optional[_Union[UploadPart, _Mapping]] = ...) -> None: ...

class CreateJobRequest(_message.Message):
    __slots__ = ("upload",)
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    upload: UploadPart
    def __init__(self, upload: _Optional[_Union[UploadPart, _Mapping]] = ...) -> None: ...

class CreateJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class CreateJobFromUrlRequest(_message.Message):
    __slots__ = ("url", "config")
    URL_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    url: str
    config: JobConfig
    def __init__(self, url: _Optional[str] = ..., config: _Optional[_Union[JobConfig, _Mapping]] = ...) -> None: ...

class CreateJobFromUrlResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class ProcessAudioResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: JobEvent
    def __init__(self, event: _Optional[_Union[JobEvent, _Mapping]] = ...) -> None: ...

class JobEvent(_message.Message):
    __slots__ = ("sequence", "event_time", "accepted", "state_changed", "unit_ended", "stage_progress", "segment", "finished", "warning")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    STATE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    UNIT_ENDED_FIELD_NUMBER: _ClassVar[int]
    STAGE_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    event_time: _timestamp_pb2.Timestamp
    accepted: JobAccepted
    state_changed: JobStateChanged
    unit_ended: UnitEnded
    stage_progress: StageProgress
    segment: _types_pb2.Segment
    finished: JobFinished
    warning: _types_pb2.Warning
    def __init__(self, sequence: _Optional[int] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accepted: _Optional[_Union[JobAccepted, _Mapping]] = ..., state_changed: _Optional[_Union[JobStateChanged, _Mapping]] = ..., unit_ended: _Optional[_Union[UnitEnded, _Mapping]] = ..., stage_progress: _Optional[_Union[StageProgress, _Mapping]] = ..., segment: _Optional[_Union[_types_pb2.Segment, _Mapping]] = ..., finished: _Optional[_Union[JobFinished, _Mapping]] = ..., warning: _Optional[_Union[_types_pb2.Warning, _Mapping]] = ...) -> None: ...

class JobAccepted(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class JobStateChanged(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: JobState
    def __init__(self, state: _Optional[_Union[JobState, str]] = ...) -> None: ...

class UnitEnded(_message.Message):
    __slots__ = ("unit", "stage", "attempt", "state", "failure", "times")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    unit: str
    stage: _types_pb2.Stage
    attempt: int
    state: UnitState
    failure: _types_pb2.Failure
    times: AttemptTimes
    def __init__(self, unit: _Optional[str] = ..., stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., attempt: _Optional[int] = ..., state: _Optional[_Union[UnitState, str]] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ..., times: _Optional[_Union[AttemptTimes, _Mapping]] = ...) -> None: ...

class AttemptTimes(_message.Message):
    __slots__ = ("total_duration", "run_duration", "engine_duration", "worker", "deliveries")
    TOTAL_DURATION_FIELD_NUMBER: _ClassVar[int]
    RUN_DURATION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_DURATION_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    total_duration: _duration_pb2.Duration
    run_duration: _duration_pb2.Duration
    engine_duration: _duration_pb2.Duration
    worker: str
    deliveries: int
    def __init__(self, total_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., run_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., engine_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., worker: _Optional[str] = ..., deliveries: _Optional[int] = ...) -> None: ...

class StageProgress(_message.Message):
    __slots__ = ("stage", "fraction", "ended_units", "total_units")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    ENDED_UNITS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_UNITS_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    fraction: float
    ended_units: int
    total_units: int
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., fraction: _Optional[float] = ..., ended_units: _Optional[int] = ..., total_units: _Optional[int] = ...) -> None: ...

class JobFinished(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("job_id", "state", "config", "create_time", "update_time", "finish_time", "progress", "failures", "results", "metrics", "versions", "tenant", "display_name", "labels", "newest_revision", "origin", "summary_job_ids", "shared", "recording_sha256")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_REVISION_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SHA256_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: JobState
    config: JobConfig
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    progress: _containers.RepeatedCompositeFieldContainer[StageProgress]
    failures: _containers.RepeatedCompositeFieldContainer[_types_pb2.Failure]
    results: JobResults
    metrics: JobMetrics
    versions: JobVersions
    tenant: str
    display_name: str
    labels: _containers.ScalarMap[str, str]
    newest_revision: int
    origin: JobOrigin
    summary_job_ids: _containers.RepeatedScalarFieldContainer[str]
    shared: SharedView
    recording_sha256: str
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., config: _Optional[_Union[JobConfig, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Iterable[_Union[StageProgress, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[_types_pb2.Failure, _Mapping]]] = ..., results: _Optional[_Union[JobResults, _Mapping]] = ..., metrics: _Optional[_Union[JobMetrics, _Mapping]] = ..., versions: _Optional[_Union[JobVersions, _Mapping]] = ..., tenant: _Optional[str] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., newest_revision: _Optional[int] = ..., origin: _Optional[_Union[JobOrigin, _Mapping]] = ..., summary_job_ids: _Optional[_Iterable[str]] = ..., shared: _Optional[_Union[SharedView, _Mapping]] = ..., recording_sha256: _Optional[str] = ...) -> None: ...

class SharedView(_message.Message):
    __slots__ = ("audio", "expire_time", "template")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    audio: bool
    expire_time: _timestamp_pb2.Timestamp
    template: _summary_pb2.Template
    def __init__(self, audio: _Optional[bool] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., template: _Optional[_Union[_summary_pb2.Template, _Mapping]] = ...) -> None: ...

class JobOrigin(_message.Message):
    __slots__ = ("job_id", "revision")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    revision: int
    def __init__(self, job_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class JobResults(_message.Message):
    __slots__ = ("raw_transcript", "clean_transcript", "segments", "language_code", "summary", "enhancement_metrics", "warnings", "suspect_texts", "unread", "revision", "speakers", "speaker_count_confidence", "speaker_turns", "quality_report", "digest", "reading")
    RAW_TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    CLEAN_TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    ENHANCEMENT_METRICS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SUSPECT_TEXTS_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_COUNT_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_TURNS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_REPORT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    raw_transcript: str
    clean_transcript: str
    segments: _containers.RepeatedCompositeFieldContainer[_types_pb2.Segment]
    language_code: str
    summary: _summary_pb2.Summary
    enhancement_metrics: EnhancementMetrics
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Warning]
    suspect_texts: _containers.RepeatedCompositeFieldContainer[_types_pb2.SuspectText]
    unread: _containers.RepeatedCompositeFieldContainer[_types_pb2.TimeRange]
    revision: int
    speakers: _containers.RepeatedCompositeFieldContainer[_diarization_pb2.Speaker]
    speaker_count_confidence: float
    speaker_turns: _containers.RepeatedCompositeFieldContainer[_diarization_pb2.SpeakerTurn]
    quality_report: _quality_pb2.QualityReport
    digest: _speech_pb2.Digest
    reading: _alignment_pb2.Reading
    def __init__(self, raw_transcript: _Optional[str] = ..., clean_transcript: _Optional[str] = ..., segments: _Optional[_Iterable[_Union[_types_pb2.Segment, _Mapping]]] = ..., language_code: _Optional[str] = ..., summary: _Optional[_Union[_summary_pb2.Summary, _Mapping]] = ..., enhancement_metrics: _Optional[_Union[EnhancementMetrics, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Warning, _Mapping]]] = ..., suspect_texts: _Optional[_Iterable[_Union[_types_pb2.SuspectText, _Mapping]]] = ..., unread: _Optional[_Iterable[_Union[_types_pb2.TimeRange, _Mapping]]] = ..., revision: _Optional[int] = ..., speakers: _Optional[_Iterable[_Union[_diarization_pb2.Speaker, _Mapping]]] = ..., speaker_count_confidence: _Optional[float] = ..., speaker_turns: _Optional[_Iterable[_Union[_diarization_pb2.SpeakerTurn, _Mapping]]] = ..., quality_report: _Optional[_Union[_quality_pb2.QualityReport, _Mapping]] = ..., digest: _Optional[_Union[_speech_pb2.Digest, _Mapping]] = ..., reading: _Optional[_Union[_alignment_pb2.Reading, _Mapping]] = ...) -> None: ...

class EnhancementMetrics(_message.Message):
    __slots__ = ("edit_rate", "skipped", "kept_segment_ids")
    EDIT_RATE_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    KEPT_SEGMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    edit_rate: float
    skipped: bool
    kept_segment_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, edit_rate: _Optional[float] = ..., skipped: _Optional[bool] = ..., kept_segment_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class JobMetrics(_message.Message):
    __slots__ = ("input_duration", "processing_duration", "real_time_factor", "quality", "source", "asr_confidence", "edit_rate", "stages", "suspect_text_count", "removed_text_count", "kept_segment_count", "unread_duration", "reread_count")
    INPUT_DURATION_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_DURATION_FIELD_NUMBER: _ClassVar[int]
    REAL_TIME_FACTOR_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ASR_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EDIT_RATE_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    SUSPECT_TEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_TEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    KEPT_SEGMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNREAD_DURATION_FIELD_NUMBER: _ClassVar[int]
    REREAD_COUNT_FIELD_NUMBER: _ClassVar[int]
    input_duration: _duration_pb2.Duration
    processing_duration: _duration_pb2.Duration
    real_time_factor: float
    quality: _preprocess_pb2.AudioQuality
    source: _preprocess_pb2.SourceFormat
    asr_confidence: float
    edit_rate: float
    stages: _containers.RepeatedCompositeFieldContainer[StageMetrics]
    suspect_text_count: int
    removed_text_count: int
    kept_segment_count: int
    unread_duration: _duration_pb2.Duration
    reread_count: int
    def __init__(self, input_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., processing_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., real_time_factor: _Optional[float] = ..., quality: _Optional[_Union[_preprocess_pb2.AudioQuality, _Mapping]] = ..., source: _Optional[_Union[_preprocess_pb2.SourceFormat, _Mapping]] = ..., asr_confidence: _Optional[float] = ..., edit_rate: _Optional[float] = ..., stages: _Optional[_Iterable[_Union[StageMetrics, _Mapping]]] = ..., suspect_text_count: _Optional[int] = ..., removed_text_count: _Optional[int] = ..., kept_segment_count: _Optional[int] = ..., unread_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., reread_count: _Optional[int] = ...) -> None: ...

class StageMetrics(_message.Message):
    __slots__ = ("stage", "units", "attempts", "audio_duration", "processing_duration", "real_time_factor")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_DURATION_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_DURATION_FIELD_NUMBER: _ClassVar[int]
    REAL_TIME_FACTOR_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    units: int
    attempts: int
    audio_duration: _duration_pb2.Duration
    processing_duration: _duration_pb2.Duration
    real_time_factor: float
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., units: _Optional[int] = ..., attempts: _Optional[int] = ..., audio_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., processing_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., real_time_factor: _Optional[float] = ...) -> None: ...

class JobVersions(_message.Message):
    __slots__ = ("pipeline", "stages", "template")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    stages: _containers.RepeatedCompositeFieldContainer[StageVersion]
    template: TemplateVersion
    def __init__(self, pipeline: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[StageVersion, _Mapping]]] = ..., template: _Optional[_Union[TemplateVersion, _Mapping]] = ...) -> None: ...

class StageVersion(_message.Message):
    __slots__ = ("stage", "engine")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    engine: _types_pb2.EngineVersion
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ...) -> None: ...

class TemplateVersion(_message.Message):
    __slots__ = ("template_id", "sha256", "version")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    sha256: str
    version: int
    def __init__(self, template_id: _Optional[str] = ..., sha256: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ("job_id", "revision")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    revision: int
    def __init__(self, job_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class GetJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class GetTimelineRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetTimelineResponse(_message.Message):
    __slots__ = ("timeline",)
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    timeline: Timeline
    def __init__(self, timeline: _Optional[_Union[Timeline, _Mapping]] = ...) -> None: ...

class Timeline(_message.Message):
    __slots__ = ("job_id", "state", "create_time", "finish_time", "read_time", "trace_id", "attempts", "waiting_units", "total_units")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    READ_TIME_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    WAITING_UNITS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_UNITS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: JobState
    create_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    read_time: _timestamp_pb2.Timestamp
    trace_id: str
    attempts: _containers.RepeatedCompositeFieldContainer[TimelineAttempt]
    waiting_units: int
    total_units: int
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., read_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trace_id: _Optional[str] = ..., attempts: _Optional[_Iterable[_Union[TimelineAttempt, _Mapping]]] = ..., waiting_units: _Optional[int] = ..., total_units: _Optional[int] = ...) -> None: ...

class TimelineAttempt(_message.Message):
    __slots__ = ("unit", "stage", "attempt", "state", "queue_time", "start_time", "end_time", "engine_duration", "worker", "deliveries", "failure")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ENGINE_DURATION_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    unit: str
    stage: _types_pb2.Stage
    attempt: int
    state: UnitState
    queue_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    engine_duration: _duration_pb2.Duration
    worker: str
    deliveries: int
    failure: _types_pb2.Failure
    def __init__(self, unit: _Optional[str] = ..., stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., attempt: _Optional[int] = ..., state: _Optional[_Union[UnitState, str]] = ..., queue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., worker: _Optional[str] = ..., deliveries: _Optional[int] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ...) -> None: ...

class GetAudioRequest(_message.Message):
    __slots__ = ("job_id", "start_byte", "max_bytes", "source")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    START_BYTE_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    start_byte: int
    max_bytes: int
    source: AudioSource
    def __init__(self, job_id: _Optional[str] = ..., start_byte: _Optional[int] = ..., max_bytes: _Optional[int] = ..., source: _Optional[_Union[AudioSource, str]] = ...) -> None: ...

class GetAudioResponse(_message.Message):
    __slots__ = ("info", "audio")
    INFO_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    info: AudioInfo
    audio: bytes
    def __init__(self, info: _Optional[_Union[AudioInfo, _Mapping]] = ..., audio: _Optional[bytes] = ...) -> None: ...

class AudioInfo(_message.Message):
    __slots__ = ("filename", "size_bytes", "sha256")
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    filename: str
    size_bytes: int
    sha256: str
    def __init__(self, filename: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class GetWaveformRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetWaveformResponse(_message.Message):
    __slots__ = ("waveform",)
    WAVEFORM_FIELD_NUMBER: _ClassVar[int]
    waveform: _types_pb2.Waveform
    def __init__(self, waveform: _Optional[_Union[_types_pb2.Waveform, _Mapping]] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "states", "labels", "accepted_from", "accepted_until", "recording_sha256", "template_id", "language_code", "speaker")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FROM_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SHA256_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[JobState]
    labels: _containers.ScalarMap[str, str]
    accepted_from: _timestamp_pb2.Timestamp
    accepted_until: _timestamp_pb2.Timestamp
    recording_sha256: str
    template_id: str
    language_code: str
    speaker: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[JobState, str]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., accepted_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accepted_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recording_sha256: _Optional[str] = ..., template_id: _Optional[str] = ..., language_code: _Optional[str] = ..., speaker: _Optional[str] = ...) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ("jobs", "next_page_token")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[Job]
    next_page_token: str
    def __init__(self, jobs: _Optional[_Iterable[_Union[Job, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchJobRequest(_message.Message):
    __slots__ = ("job_id", "after_sequence")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    after_sequence: int
    def __init__(self, job_id: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class WatchJobResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: JobEvent
    def __init__(self, event: _Optional[_Union[JobEvent, _Mapping]] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CancelJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class RetryJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class RetryJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class UpdateJobRequest(_message.Message):
    __slots__ = ("job_id", "display_name", "labels", "speaker_names")
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
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_NAMES_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    display_name: str
    labels: _containers.ScalarMap[str, str]
    speaker_names: _containers.ScalarMap[str, str]
    def __init__(self, job_id: _Optional[str] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., speaker_names: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UpdateJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class DeleteJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class DeleteJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SearchJobsRequest(_message.Message):
    __slots__ = ("query", "page_size", "page_token", "states", "labels", "accepted_from", "accepted_until", "recording_sha256", "template_id", "language_code", "speaker")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FROM_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SHA256_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[JobState]
    labels: _containers.ScalarMap[str, str]
    accepted_from: _timestamp_pb2.Timestamp
    accepted_until: _timestamp_pb2.Timestamp
    recording_sha256: str
    template_id: str
    language_code: str
    speaker: str
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[JobState, str]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., accepted_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accepted_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recording_sha256: _Optional[str] = ..., template_id: _Optional[str] = ..., language_code: _Optional[str] = ..., speaker: _Optional[str] = ...) -> None: ...

class SearchJobsResponse(_message.Message):
    __slots__ = ("hits", "next_page_token")
    HITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[SearchHit]
    next_page_token: str
    def __init__(self, hits: _Optional[_Iterable[_Union[SearchHit, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SearchHit(_message.Message):
    __slots__ = ("job", "moments")
    JOB_FIELD_NUMBER: _ClassVar[int]
    MOMENTS_FIELD_NUMBER: _ClassVar[int]
    job: Job
    moments: _containers.RepeatedCompositeFieldContainer[Moment]
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., moments: _Optional[_Iterable[_Union[Moment, _Mapping]]] = ...) -> None: ...

class Moment(_message.Message):
    __slots__ = ("range", "segment_id", "pointer", "snippet")
    RANGE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    POINTER_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_FIELD_NUMBER: _ClassVar[int]
    range: _types_pb2.TimeRange
    segment_id: str
    pointer: str
    snippet: str
    def __init__(self, range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., segment_id: _Optional[str] = ..., pointer: _Optional[str] = ..., snippet: _Optional[str] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "job_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    job_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., job_id: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("letters", "next_page_token")
    LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    letters: _containers.RepeatedCompositeFieldContainer[DeadLetterEntry]
    next_page_token: str
    def __init__(self, letters: _Optional[_Iterable[_Union[DeadLetterEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeadLetterEntry(_message.Message):
    __slots__ = ("letter_id", "job_id", "unit", "attempts", "failure", "dead_time")
    LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    DEAD_TIME_FIELD_NUMBER: _ClassVar[int]
    letter_id: int
    job_id: str
    unit: str
    attempts: int
    failure: _types_pb2.Failure
    dead_time: _timestamp_pb2.Timestamp
    def __init__(self, letter_id: _Optional[int] = ..., job_id: _Optional[str] = ..., unit: _Optional[str] = ..., attempts: _Optional[int] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ..., dead_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReplayDeadLetterRequest(_message.Message):
    __slots__ = ("letter_id",)
    LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    letter_id: int
    def __init__(self, letter_id: _Optional[int] = ...) -> None: ...

class ReplayDeadLetterResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...
