"""What an address asks for.

Reference: https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maie.asr.v1 import asr_pb2 as asr
from maie.catalog.v1 import catalog_pb2 as catalog
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_web.deepgram.errors import unsupported
from maie_web.openai.models import check_model

LABELS = {"api": "deepgram"}
"""What jobs that come this way are labelled with."""
# What Deepgram's clients ask for unless they know a mesh's models; any of these may read.
STAND_INS = ("nova-3", "nova-2", "whisper")
# Of code-switching: the engine says by itself in which language somebody speaks.
ANY_LANGUAGE = "multi"
# What changes no text.
_HARMLESS = {"tag", "extra", "mip_opt_out", "version"}
_NO_ANALYSIS = "Texts are not analysed here"
_AS_SPOKEN = "Text is not rewritten"
_UNSUPPORTED: Mapping[str, str] = {
    "diarize_version": "The mesh chooses how speakers are told apart",
    "callback": "Results are not sent elsewhere, for which jobs have webhooks",
    "callback_method": "Results are not sent elsewhere, for which jobs have webhooks",
    "custom_intent": _NO_ANALYSIS,
    "custom_intent_mode": _NO_ANALYSIS,
    "custom_topic": _NO_ANALYSIS,
    "custom_topic_mode": _NO_ANALYSIS,
    "detect_entities": _NO_ANALYSIS,
    "intents": _NO_ANALYSIS,
    "search": _NO_ANALYSIS,
    "sentiment": _NO_ANALYSIS,
    "summarize": _NO_ANALYSIS,
    "topics": _NO_ANALYSIS,
    "dictation": _AS_SPOKEN,
    "filler_words": _AS_SPOKEN,
    "measurements": _AS_SPOKEN,
    "numerals": _AS_SPOKEN,
    "profanity_filter": _AS_SPOKEN,
    "redact": _AS_SPOKEN,
    "replace": _AS_SPOKEN,
    "alternatives": "There is one reading of each recording",
    "language_hint": "Several possible languages cannot be named",
    "utt_split": "Utterances end where the recogniser says so",
}
_NO_LIVE_SPEAKERS = "Speakers are told apart in recordings, and not in a stream"
_UNSUPPORTED_LIVE = {
    **_UNSUPPORTED,
    "diarize": _NO_LIVE_SPEAKERS,
    "diarize_model": _NO_LIVE_SPEAKERS,
}
_OFF = {"", "false", "0"}
_LISTS = {"keyterm", "keywords"}


class Options(BaseModel):
    """What recordings and streams have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    refused: ClassVar[Mapping[str, str]] = _UNSUPPORTED
    """What these options cannot be, with the reason."""

    model: str = STAND_INS[0]
    language: str = ""
    punctuate: bool = False
    smart_format: bool = False
    multichannel: bool = False
    keyterm: list[str] = []
    keywords: list[str] = []
    store: bool = False

    def check(self, models: Sequence[catalog.Model]) -> None:
        """Refuses a model that the mesh does not have.

        Raises:
            StageError: NOT_FOUND with MODEL_UNKNOWN.
        """
        if self.model not in STAND_INS:
            check_model(self.model, models)

    def asr_options(self) -> asr.TranscribeOptions:
        """How to read the speech."""
        options = asr.TranscribeOptions(word_time_offsets=True)
        if self.language != ANY_LANGUAGE:
            options.language_code = self.language
        options.hotwords.extend(self.keyterm)
        # A keyword may have a weight, which engines here do not know.
        options.hotwords.extend(each.partition(":")[0] for each in self.keywords)
        return options


class RecordingOptions(Options):
    """What is asked for of a recording."""

    paragraphs: bool = False
    utterances: bool = False
    detect_language: bool = False
    diarize: bool = False
    diarize_model: Literal["latest"] | None = None

    @property
    def says_speakers(self) -> bool:
        """Whether the answer says who speaks; either option asks for it."""
        return self.diarize or self.diarize_model is not None

    @property
    def is_punctuated(self) -> bool:
        """Whether the text has punctuation and casing."""
        return self.punctuate or self.smart_format or self.paragraphs


class StreamOptions(Options):
    """What is asked for of live speech."""

    refused: ClassVar[Mapping[str, str]] = _UNSUPPORTED_LIVE

    encoding: Literal["linear16", "mulaw", "alaw", "opus", "ogg-opus", "flac"] | None = None
    sample_rate: int = Field(default=0, ge=0, le=48_000)
    channels: int = Field(default=1, ge=1, le=8)
    interim_results: bool = False
    endpointing: bool | int = True
    utterance_end_ms: int | None = Field(default=None, ge=1000, le=60_000)
    vad_events: bool = False


Asked = TypeVar("Asked", bound=Options)


def options_of(kind: type[Asked], query: Mapping[str, Sequence[str]]) -> Asked:
    """The options that an address names.

    Args:
        kind: RecordingOptions or StreamOptions.
        query: The values of each parameter.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED or FIELD_INVALID.
    """
    for name, values in query.items():
        if name in kind.refused and not set(map(str.lower, values)) <= _OFF:
            raise unsupported(name, kind.refused[name])
    dropped: Collection[str] = _HARMLESS | kind.refused.keys()
    named: dict[str, Any] = {
        name: list(values) if name in _LISTS else values[-1]
        for name, values in query.items()
        if name not in dropped
    }
    try:
        return kind.model_validate(named)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0])
        raise invalid(Reason.FIELD_INVALID, f"`{field}`: {first['msg']}.", field=field) from None
