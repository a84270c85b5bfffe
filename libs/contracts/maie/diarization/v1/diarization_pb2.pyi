import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from maie.preprocess.v1 import preprocess_pb2 as _preprocess_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DiarizeRequest(_message.Message):
    __slots__ = ("speech_chunk", "voices", "words", "audio_content", "options")
    SPEECH_CHUNK_FIELD_NUMBER: _ClassVar[int]
    VOICES_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CONTENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    speech_chunk: _preprocess_pb2.Chunk
    voices: VoicesSource
    words: WordsSource
    audio_content: bytes
    options: SpeakerOptions
    def __init__(self, speech_chunk: _Optional[_Union[_preprocess_pb2.Chunk, _Mapping]] = ..., voices: _Optional[_Union[VoicesSource, _Mapping]] = ..., words: _Optional[_Union[WordsSource, _Mapping]] = ..., audio_content: _Optional[bytes] = ..., options: _Optional[_Union[SpeakerOptions, _Mapping]] = ...) -> None: ...

class SpeakerOptions(_message.Message):
    __slots__ = ("speaker_count", "min_speaker_count", "max_speaker_count")
    SPEAKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    MIN_SPEAKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_SPEAKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    speaker_count: int
    min_speaker_count: int
    max_speaker_count: int
    def __init__(self, speaker_count: _Optional[int] = ..., min_speaker_count: _Optional[int] = ..., max_speaker_count: _Optional[int] = ...) -> None: ...

class VoicesSource(_message.Message):
    __slots__ = ("parts",)
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[_types_pb2.Blob]
    def __init__(self, parts: _Optional[_Iterable[_Union[_types_pb2.Blob, _Mapping]]] = ...) -> None: ...

class WordsSource(_message.Message):
    __slots__ = ("transcript", "diarization")
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    DIARIZATION_FIELD_NUMBER: _ClassVar[int]
    transcript: _types_pb2.Blob
    diarization: _types_pb2.Blob
    def __init__(self, transcript: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., diarization: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ...) -> None: ...

class DiarizeResponse(_message.Message):
    __slots__ = ("progress", "voices", "diarization", "transcript")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    VOICES_FIELD_NUMBER: _ClassVar[int]
    DIARIZATION_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    progress: DiarizeProgress
    voices: Voices
    diarization: Diarization
    transcript: _types_pb2.Transcript
    def __init__(self, progress: _Optional[_Union[DiarizeProgress, _Mapping]] = ..., voices: _Optional[_Union[Voices, _Mapping]] = ..., diarization: _Optional[_Union[Diarization, _Mapping]] = ..., transcript: _Optional[_Union[_types_pb2.Transcript, _Mapping]] = ...) -> None: ...

class DiarizeProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...

class Voices(_message.Message):
    __slots__ = ("chunk", "voices", "engine", "embedding_space")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    VOICES_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_SPACE_FIELD_NUMBER: _ClassVar[int]
    chunk: _preprocess_pb2.Chunk
    voices: _containers.RepeatedCompositeFieldContainer[Voice]
    engine: _types_pb2.EngineVersion
    embedding_space: str
    def __init__(self, chunk: _Optional[_Union[_preprocess_pb2.Chunk, _Mapping]] = ..., voices: _Optional[_Iterable[_Union[Voice, _Mapping]]] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., embedding_space: _Optional[str] = ...) -> None: ...

class Voice(_message.Message):
    __slots__ = ("turns", "embedding", "clean_duration", "window")
    TURNS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    CLEAN_DURATION_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    turns: _containers.RepeatedCompositeFieldContainer[_types_pb2.TimeRange]
    embedding: bytes
    clean_duration: _duration_pb2.Duration
    window: _types_pb2.TimeRange
    def __init__(self, turns: _Optional[_Iterable[_Union[_types_pb2.TimeRange, _Mapping]]] = ..., embedding: _Optional[bytes] = ..., clean_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., window: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ...) -> None: ...

class Diarization(_message.Message):
    __slots__ = ("speakers", "turns", "count_confidence", "engine", "voices", "embedding_space", "same_person")
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    COUNT_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    VOICES_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_SPACE_FIELD_NUMBER: _ClassVar[int]
    SAME_PERSON_FIELD_NUMBER: _ClassVar[int]
    speakers: _containers.RepeatedCompositeFieldContainer[Speaker]
    turns: _containers.RepeatedCompositeFieldContainer[SpeakerTurn]
    count_confidence: float
    engine: _types_pb2.EngineVersion
    voices: _containers.RepeatedCompositeFieldContainer[SpeakerVoice]
    embedding_space: str
    same_person: float
    def __init__(self, speakers: _Optional[_Iterable[_Union[Speaker, _Mapping]]] = ..., turns: _Optional[_Iterable[_Union[SpeakerTurn, _Mapping]]] = ..., count_confidence: _Optional[float] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., voices: _Optional[_Iterable[_Union[SpeakerVoice, _Mapping]]] = ..., embedding_space: _Optional[str] = ..., same_person: _Optional[float] = ...) -> None: ...

class SpeakerVoice(_message.Message):
    __slots__ = ("speaker", "embedding", "clean_duration")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    CLEAN_DURATION_FIELD_NUMBER: _ClassVar[int]
    speaker: str
    embedding: bytes
    clean_duration: _duration_pb2.Duration
    def __init__(self, speaker: _Optional[str] = ..., embedding: _Optional[bytes] = ..., clean_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Speaker(_message.Message):
    __slots__ = ("speaker", "name", "speech_duration", "channel", "track")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPEECH_DURATION_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    speaker: str
    name: str
    speech_duration: _duration_pb2.Duration
    channel: int
    track: int
    def __init__(self, speaker: _Optional[str] = ..., name: _Optional[str] = ..., speech_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., channel: _Optional[int] = ..., track: _Optional[int] = ...) -> None: ...

class SpeakerTurn(_message.Message):
    __slots__ = ("range", "speaker")
    RANGE_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    range: _types_pb2.TimeRange
    speaker: str
    def __init__(self, range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., speaker: _Optional[str] = ...) -> None: ...
