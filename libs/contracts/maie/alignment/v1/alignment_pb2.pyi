import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from maie.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WordOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORD_OUTCOME_UNSPECIFIED: _ClassVar[WordOutcome]
    WORD_OUTCOME_CORRECT: _ClassVar[WordOutcome]
    WORD_OUTCOME_WRONG: _ClassVar[WordOutcome]
    WORD_OUTCOME_SKIPPED: _ClassVar[WordOutcome]
    WORD_OUTCOME_NOT_REACHED: _ClassVar[WordOutcome]
    WORD_OUTCOME_INSERTED: _ClassVar[WordOutcome]
    WORD_OUTCOME_REPEATED: _ClassVar[WordOutcome]
    WORD_OUTCOME_FILLER: _ClassVar[WordOutcome]
WORD_OUTCOME_UNSPECIFIED: WordOutcome
WORD_OUTCOME_CORRECT: WordOutcome
WORD_OUTCOME_WRONG: WordOutcome
WORD_OUTCOME_SKIPPED: WordOutcome
WORD_OUTCOME_NOT_REACHED: WordOutcome
WORD_OUTCOME_INSERTED: WordOutcome
WORD_OUTCOME_REPEATED: WordOutcome
WORD_OUTCOME_FILLER: WordOutcome

class AlignRequest(_message.Message):
    __slots__ = ("chunks", "audio_content", "text", "stored_options", "transcript")
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CONTENT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STORED_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    chunks: ChunksSource
    audio_content: bytes
    text: str
    stored_options: _types_pb2.Blob
    transcript: _types_pb2.Transcript
    def __init__(self, chunks: _Optional[_Union[ChunksSource, _Mapping]] = ..., audio_content: _Optional[bytes] = ..., text: _Optional[str] = ..., stored_options: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., transcript: _Optional[_Union[_types_pb2.Transcript, _Mapping]] = ...) -> None: ...

class ChunksSource(_message.Message):
    __slots__ = ("preprocessed", "transcripts")
    PREPROCESSED_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPTS_FIELD_NUMBER: _ClassVar[int]
    preprocessed: _types_pb2.Blob
    transcripts: _containers.RepeatedCompositeFieldContainer[_types_pb2.Blob]
    def __init__(self, preprocessed: _Optional[_Union[_types_pb2.Blob, _Mapping]] = ..., transcripts: _Optional[_Iterable[_Union[_types_pb2.Blob, _Mapping]]] = ...) -> None: ...

class AlignResponse(_message.Message):
    __slots__ = ("progress", "reading")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    progress: AlignProgress
    reading: Reading
    def __init__(self, progress: _Optional[_Union[AlignProgress, _Mapping]] = ..., reading: _Optional[_Union[Reading, _Mapping]] = ...) -> None: ...

class AlignProgress(_message.Message):
    __slots__ = ("fraction",)
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    def __init__(self, fraction: _Optional[float] = ...) -> None: ...

class ReadingOptions(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class Reading(_message.Message):
    __slots__ = ("words", "pauses", "figures", "engine", "asr_engine", "warnings")
    WORDS_FIELD_NUMBER: _ClassVar[int]
    PAUSES_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ASR_ENGINE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    words: _containers.RepeatedCompositeFieldContainer[ReadWord]
    pauses: _containers.RepeatedCompositeFieldContainer[Pause]
    figures: ReadingFigures
    engine: _types_pb2.EngineVersion
    asr_engine: _types_pb2.EngineVersion
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Warning]
    def __init__(self, words: _Optional[_Iterable[_Union[ReadWord, _Mapping]]] = ..., pauses: _Optional[_Iterable[_Union[Pause, _Mapping]]] = ..., figures: _Optional[_Union[ReadingFigures, _Mapping]] = ..., engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., asr_engine: _Optional[_Union[_types_pb2.EngineVersion, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Warning, _Mapping]]] = ...) -> None: ...

class ReadWord(_message.Message):
    __slots__ = ("text", "outcome", "range", "heard", "score", "text_offset", "phones", "letters", "guessed", "ends_phrase")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    PHONES_FIELD_NUMBER: _ClassVar[int]
    LETTERS_FIELD_NUMBER: _ClassVar[int]
    GUESSED_FIELD_NUMBER: _ClassVar[int]
    ENDS_PHRASE_FIELD_NUMBER: _ClassVar[int]
    text: str
    outcome: WordOutcome
    range: _types_pb2.TimeRange
    heard: str
    score: float
    text_offset: int
    phones: _containers.RepeatedCompositeFieldContainer[Phone]
    letters: _containers.RepeatedCompositeFieldContainer[Letter]
    guessed: bool
    ends_phrase: bool
    def __init__(self, text: _Optional[str] = ..., outcome: _Optional[_Union[WordOutcome, str]] = ..., range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., heard: _Optional[str] = ..., score: _Optional[float] = ..., text_offset: _Optional[int] = ..., phones: _Optional[_Iterable[_Union[Phone, _Mapping]]] = ..., letters: _Optional[_Iterable[_Union[Letter, _Mapping]]] = ..., guessed: _Optional[bool] = ..., ends_phrase: _Optional[bool] = ...) -> None: ...

class Phone(_message.Message):
    __slots__ = ("symbol", "range", "score")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    range: _types_pb2.TimeRange
    score: float
    def __init__(self, symbol: _Optional[str] = ..., range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., score: _Optional[float] = ...) -> None: ...

class Letter(_message.Message):
    __slots__ = ("text", "range")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    text: str
    range: _types_pb2.TimeRange
    def __init__(self, text: _Optional[str] = ..., range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ...) -> None: ...

class Pause(_message.Message):
    __slots__ = ("range", "hesitation")
    RANGE_FIELD_NUMBER: _ClassVar[int]
    HESITATION_FIELD_NUMBER: _ClassVar[int]
    range: _types_pb2.TimeRange
    hesitation: bool
    def __init__(self, range: _Optional[_Union[_types_pb2.TimeRange, _Mapping]] = ..., hesitation: _Optional[bool] = ...) -> None: ...

class ReadingFigures(_message.Message):
    __slots__ = ("words", "correct", "wrong", "skipped", "inserted", "repeated", "fillers", "hesitations", "duration", "words_correct_per_minute")
    WORDS_FIELD_NUMBER: _ClassVar[int]
    CORRECT_FIELD_NUMBER: _ClassVar[int]
    WRONG_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    FILLERS_FIELD_NUMBER: _ClassVar[int]
    HESITATIONS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    WORDS_CORRECT_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    words: int
    correct: int
    wrong: int
    skipped: int
    inserted: int
    repeated: int
    fillers: int
    hesitations: int
    duration: _duration_pb2.Duration
    words_correct_per_minute: float
    def __init__(self, words: _Optional[int] = ..., correct: _Optional[int] = ..., wrong: _Optional[int] = ..., skipped: _Optional[int] = ..., inserted: _Optional[int] = ..., repeated: _Optional[int] = ..., fillers: _Optional[int] = ..., hesitations: _Optional[int] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., words_correct_per_minute: _Optional[float] = ...) -> None: ...
