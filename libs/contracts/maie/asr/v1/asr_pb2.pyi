import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.preprocess.v1 import preprocess_pb2 as _preprocess_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TranscribeTask(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSCRIBE_TASK_UNSPECIFIED: _ClassVar[TranscribeTask]
    TRANSCRIBE_TASK_TRANSCRIBE: _ClassVar[TranscribeTask]
    TRANSCRIBE_TASK_TRANSLATE: _ClassVar[TranscribeTask]

class SuspectTextPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUSPECT_TEXT_POLICY_UNSPECIFIED: _ClassVar[SuspectTextPolicy]
    SUSPECT_TEXT_POLICY_OFF: _ClassVar[SuspectTextPolicy]
    SUSPECT_TEXT_POLICY_REPORT: _ClassVar[SuspectTextPolicy]
    SUSPECT_TEXT_POLICY_REMOVE: _ClassVar[SuspectTextPolicy]
TRANSCRIBE_TASK_UNSPECIFIED: TranscribeTask
TRANSCRIBE_TASK_TRANSCRIBE: TranscribeTask
TRANSCRIBE_TASK_TRANSLATE: TranscribeTask
SUSPECT_TEXT_POLICY_UNSPECIFIED: SuspectTextPolicy
SUSPECT_TEXT_POLICY_OFF: SuspectTextPolicy
SUSPECT_TEXT_POLICY_REPORT: SuspectTextPolicy
SUSPECT_TEXT_POLICY_REMOVE: SuspectTextPolicy

class TranscribeRequest(_message.Message):
    __slots__ = ("speech_chunk", "audio_content", "options")
    SPEECH_CHUNK_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CONTENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    speech_chunk: _preprocess_pb2.Chunk
    audio_content: bytes
    options: TranscribeOptions
    def __init__(self, speech_chunk: _Optional[_Union[_preprocess_pb2.Chunk, _Mapping]] = ..., audio_content: _Optional[bytes] = ..., options: _Optional[_Union[TranscribeOptions, _Mapping]] = ...) -> None: ...

class TranscribeOptions(_message.Message):
    __slots__ = ("language_code", "hotwords", "word_time_offsets", "task", "initial_prompt", "decoding", "silence", "suspect_text_policy")
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    HOTWORDS_FIELD_NUMBER: _ClassVar[int]
    WORD_TIME_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    INITIAL_PROMPT_FIELD_NUMBER: _ClassVar[int]
    DECODING_FIELD_NUMBER: _ClassVar[int]
    SILENCE_FIELD_NUMBER: _ClassVar[int]
    SUSPECT_TEXT_POLICY_FIELD_NUMBER: _ClassVar[int]
    language_code: str
    hotwords: _containers.RepeatedScalarFieldContainer[str]
    word_time_offsets: bool
    task: TranscribeTask
    initial_prompt: str
    decoding: DecodingOptions
    silence: SilenceOptions
    suspect_text_policy: SuspectTextPolicy
    def __init__(self, language_code: _Optional[str] = ..., hotwords: _Optional[_Iterable[str]] = ..., word_time_offsets: _Optional[bool] = ..., task: _Optional[_Union[TranscribeTask, str]] = ..., initial_prompt: _Optional[str] = ..., decoding: _Optional[_Union[DecodingOptions, _Mapping]] = ..., silence: _Optional[_Union[SilenceOptions, _Mapping]] = ..., suspect_text_policy: _Optional[_Union[SuspectTextPolicy, str]] = ...) -> None: ...

class DecodingOptions(_message.Message):
    __slots__ = ("beam_size", "temperatures", "compression_ratio_threshold", "log_prob_threshold", "no_speech_threshold", "condition_on_previous_text")
    BEAM_SIZE_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURES_FIELD_NUMBER: _ClassVar[int]
    COMPRESSION_RATIO_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    LOG_PROB_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    NO_SPEECH_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    CONDITION_ON_PREVIOUS_TEXT_FIELD_NUMBER: _ClassVar[int]
    beam_size: int
    temperatures: _containers.RepeatedScalarFieldContainer[float]
    compression_ratio_threshold: float
    log_prob_threshold: float
    no_speech_threshold: float
    condition_on_previous_text: bool
    def __init__(self, beam_size: _Optional[int] = ..., temperatures: _Optional[_Iterable[float]] = ..., compression_ratio_threshold: _Optional[float] = ..., log_prob_threshold: _Optional[float] = ..., no_speech_threshold: _Optional[float] = ..., condition_on_previous_text: _Optional[bool] = ...) -> None: ...

class SilenceOptions(_message.Message):
    __slots__ = ("vad_filter", "min_silence", "speech_pad", "threshold")
    VAD_FILTER_FIELD_NUMBER: _ClassVar[int]
    MIN_SILENCE_FIELD_NUMBER: _ClassVar[int]
    SPEECH_PAD_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    vad_filter: bool
    min_silence: _duration_pb2.Duration
    speech_pad: _duration_pb2.Duration
    threshold: float
    def __init__(self, vad_filter: _Optional[bool] = ..., min_silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., speech_pad: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., threshold: _Optional[float] = ...) -> None: ...

class TranscribeResponse(_message.Message):
    __slots__ = ("progress", "segment", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: TranscribeProgress
    segment: _types_pb2.Segment
    result: _types_pb2.Transcript
    def __init__(self, progress: _Optional[_Union[TranscribeProgress, _Mapping]] = ..., segment: _Optional[_Union[_types_pb2.Segment, _Mapping]] = ..., result: _Optional[_Union[_types_pb2.Transcript, _Mapping]] = ...) -> None: ...

class TranscribeProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...
