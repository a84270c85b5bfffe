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

class Consent(_message.Message):
    __slots__ = ("statement", "consent_time")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    CONSENT_TIME_FIELD_NUMBER: _ClassVar[int]
    statement: str
    consent_time: _timestamp_pb2.Timestamp
    def __init__(self, statement: _Optional[str] = ..., consent_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Voice(_message.Message):
    __slots__ = ("voice_id", "display_name", "revision", "create_time", "update_time", "engines")
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    voice_id: str
    display_name: str
    revision: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    engines: _containers.RepeatedCompositeFieldContainer[VoiceEngine]
    def __init__(self, voice_id: _Optional[str] = ..., display_name: _Optional[str] = ..., revision: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engines: _Optional[_Iterable[_Union[VoiceEngine, _Mapping]]] = ...) -> None: ...

class VoiceEngine(_message.Message):
    __slots__ = ("engine", "clean_duration")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CLEAN_DURATION_FIELD_NUMBER: _ClassVar[int]
    engine: _types_pb2.EngineVersion
    clean_duration: _duration_pb2.Duration
    def __init__(self, engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., clean_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Enrollment(_message.Message):
    __slots__ = ("job_id", "speaker", "segment_ids", "consent", "enroll_time", "enrolled_by", "clean_duration", "engine")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    ENROLL_TIME_FIELD_NUMBER: _ClassVar[int]
    ENROLLED_BY_FIELD_NUMBER: _ClassVar[int]
    CLEAN_DURATION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    speaker: str
    segment_ids: _containers.RepeatedScalarFieldContainer[str]
    consent: Consent
    enroll_time: _timestamp_pb2.Timestamp
    enrolled_by: str
    clean_duration: _duration_pb2.Duration
    engine: _types_pb2.EngineVersion
    def __init__(self, job_id: _Optional[str] = ..., speaker: _Optional[str] = ..., segment_ids: _Optional[_Iterable[str]] = ..., consent: _Optional[_Union[Consent, _Mapping]] = ..., enroll_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., enrolled_by: _Optional[str] = ..., clean_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ...) -> None: ...

class EnrollVoiceRequest(_message.Message):
    __slots__ = ("job_id", "speaker", "segment_ids", "display_name", "consent", "voice_id", "request_id")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    speaker: str
    segment_ids: _containers.RepeatedScalarFieldContainer[str]
    display_name: str
    consent: Consent
    voice_id: str
    request_id: str
    def __init__(self, job_id: _Optional[str] = ..., speaker: _Optional[str] = ..., segment_ids: _Optional[_Iterable[str]] = ..., display_name: _Optional[str] = ..., consent: _Optional[_Union[Consent, _Mapping]] = ..., voice_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class EnrollVoiceResponse(_message.Message):
    __slots__ = ("voice",)
    VOICE_FIELD_NUMBER: _ClassVar[int]
    voice: Voice
    def __init__(self, voice: _Optional[_Union[Voice, _Mapping]] = ...) -> None: ...

class ListVoicesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListVoicesResponse(_message.Message):
    __slots__ = ("voices", "most_voices")
    VOICES_FIELD_NUMBER: _ClassVar[int]
    MOST_VOICES_FIELD_NUMBER: _ClassVar[int]
    voices: _containers.RepeatedCompositeFieldContainer[Voice]
    most_voices: int
    def __init__(self, voices: _Optional[_Iterable[_Union[Voice, _Mapping]]] = ..., most_voices: _Optional[int] = ...) -> None: ...

class GetVoiceRequest(_message.Message):
    __slots__ = ("voice_id",)
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    voice_id: str
    def __init__(self, voice_id: _Optional[str] = ...) -> None: ...

class GetVoiceResponse(_message.Message):
    __slots__ = ("voice", "enrollments")
    VOICE_FIELD_NUMBER: _ClassVar[int]
    ENROLLMENTS_FIELD_NUMBER: _ClassVar[int]
    voice: Voice
    enrollments: _containers.RepeatedCompositeFieldContainer[Enrollment]
    def __init__(self, voice: _Optional[_Union[Voice, _Mapping]] = ..., enrollments: _Optional[_Iterable[_Union[Enrollment, _Mapping]]] = ...) -> None: ...

class UpdateVoiceRequest(_message.Message):
    __slots__ = ("voice_id", "display_name", "base_revision")
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    voice_id: str
    display_name: str
    base_revision: int
    def __init__(self, voice_id: _Optional[str] = ..., display_name: _Optional[str] = ..., base_revision: _Optional[int] = ...) -> None: ...

class UpdateVoiceResponse(_message.Message):
    __slots__ = ("voice",)
    VOICE_FIELD_NUMBER: _ClassVar[int]
    voice: Voice
    def __init__(self, voice: _Optional[_Union[Voice, _Mapping]] = ...) -> None: ...

class DeleteVoiceRequest(_message.Message):
    __slots__ = ("voice_id",)
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    voice_id: str
    def __init__(self, voice_id: _Optional[str] = ...) -> None: ...

class DeleteVoiceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FindVoicesRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class FindVoicesResponse(_message.Message):
    __slots__ = ("speakers", "likely_score")
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    LIKELY_SCORE_FIELD_NUMBER: _ClassVar[int]
    speakers: _containers.RepeatedCompositeFieldContainer[SpeakerCandidates]
    likely_score: float
    def __init__(self, speakers: _Optional[_Iterable[_Union[SpeakerCandidates, _Mapping]]] = ..., likely_score: _Optional[float] = ...) -> None: ...

class SpeakerCandidates(_message.Message):
    __slots__ = ("speaker", "clean_duration", "candidates")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    CLEAN_DURATION_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    speaker: str
    clean_duration: _duration_pb2.Duration
    candidates: _containers.RepeatedCompositeFieldContainer[VoiceCandidate]
    def __init__(self, speaker: _Optional[str] = ..., clean_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[VoiceCandidate, _Mapping]]] = ...) -> None: ...

class VoiceCandidate(_message.Message):
    __slots__ = ("voice_id", "display_name", "score", "is_likely")
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    IS_LIKELY_FIELD_NUMBER: _ClassVar[int]
    voice_id: str
    display_name: str
    score: float
    is_likely: bool
    def __init__(self, voice_id: _Optional[str] = ..., display_name: _Optional[str] = ..., score: _Optional[float] = ..., is_likely: _Optional[bool] = ...) -> None: ...
