"""What a client of the realtime API may set, and what it means for a live session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from maie.asr.v1 import streaming_pb2 as streaming
from maie.catalog.v1 import catalog_pb2 as catalog
from maie.live.v1 import live_pb2 as live
from maie_core.durations import duration
from maie_core.errors import StageError
from maie_core.live_options import check_live_transcribe, check_turns, turn_model_missing
from maie_core.options import TURN_MODEL, check_capable
from maie_web.openai.errors import unsupported
from maie_web.openai.models import WHISPER_1, check_model

PCM: Final = "audio/pcm"
RATE_HERTZ = 24_000
G711_RATE_HERTZ = 8_000
ENCODINGS: Mapping[str, live.AudioEncoding] = {
    PCM: live.AUDIO_ENCODING_LINEAR16,
    "audio/pcmu": live.AUDIO_ENCODING_MULAW,
    "audio/pcma": live.AUDIO_ENCODING_ALAW,
}
# The longest pauses by the documentation of `eagerness`, in seconds.
EAGERNESS: Mapping[str, float] = {"low": 8.0, "medium": 4.0, "auto": 4.0, "high": 2.0}


class Strict(BaseModel):
    """An object without fields that are not known here."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Transcription(Strict):
    """How to read the speech."""

    model: str | None = None
    language: str | None = None
    languages: list[str] | None = None
    prompt: str | None = None
    keywords: list[str] | None = None


class TurnDetection(Strict):
    """When a turn begins and ends. What is about responses has no effect, as there are none."""

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: float | None = None
    silence_duration_ms: int | None = None
    prefix_padding_ms: int | None = None
    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    idle_timeout_ms: None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


class NoiseReduction(Strict):
    """What OpenAI filters noise by; nothing here."""

    type: Literal["near_field", "far_field"] | None = None
    strength: float | None = None


class Format(Strict):
    """The format of the audio. OpenAI's only rate of PCM is 24 kHz."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] = PCM
    rate: int | None = Field(default=None, ge=8_000, le=48_000)


@dataclass(kw_only=True, frozen=True, slots=True)
class SessionSettings:
    """The settings of a connection.

    Attributes:
        format: The format of the audio.
        transcription: How to read the speech.
        turn_detection: When turns begin and end; None where the client commits them.
    """

    format: Format = field(default_factory=lambda: Format(type=PCM, rate=RATE_HERTZ))
    transcription: Transcription = field(default_factory=lambda: Transcription(model=WHISPER_1))
    turn_detection: TurnDetection | None = field(default_factory=TurnDetection)

    def with_changes(self, changes: Mapping[str, Any]) -> SessionSettings:
        """The settings after an update of some of them; a transcription changes field by field.

        Raises:
            StageError: INVALID_ARGUMENT: what was said cannot be done.
        """
        if "transcription" in changes:
            if changes["transcription"] is None:
                raise unsupported("transcription", "Nothing but transcription is offered")
            changes = dict(changes)
            said = changes["transcription"].model_dump(exclude_unset=True)
            changes["transcription"] = self.transcription.model_copy(update=said)
        return replace(self, **changes)

    @property
    def audio_format(self) -> live.AudioFormat:
        """The format of a track."""
        is_pcm = self.format.type == PCM
        rate = (self.format.rate or RATE_HERTZ) if is_pcm else G711_RATE_HERTZ
        return live.AudioFormat(
            encoding=ENCODINGS[self.format.type], sample_rate_hertz=rate, channels=1
        )

    def options(self) -> streaming.StreamingOptions:
        """The options of a live session.

        Raises:
            StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED or OPTION_OUT_OF_RANGE.
        """
        made = streaming.StreamingOptions()
        asked = self.transcription
        languages = [asked.language] if asked.language else asked.languages or []
        if len(languages) > 1:
            raise unsupported("languages", "Several possible languages cannot be named")
        if languages:
            made.transcribe.language_code = languages[0]
        if asked.prompt:
            made.transcribe.initial_prompt = asked.prompt
        made.transcribe.hotwords.extend(asked.keywords or ())
        made.turns.CopyFrom(_turns(self.turn_detection))
        check_live_transcribe(made.transcribe, "transcription")
        check_turns(made.turns, "turn_detection")
        return made

    def check(self, models: Sequence[catalog.Model]) -> None:
        """Refuses what the mesh cannot do.

        Args:
            models: Its models of the ASR stage.

        Raises:
            StageError: NOT_FOUND with MODEL_UNKNOWN; INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
        """
        check_model(self.transcription.model or WHISPER_1, models)
        options = self.options()
        refusals = [_refusal(options, each.info.capabilities) for each in models]
        if refusals and (refusal := refusals[0]) and all(refusals):
            raise refusal


def _turns(asked: TurnDetection | None) -> streaming.TurnOptions:
    if asked is None:
        return streaming.TurnOptions(detector=streaming.TURN_DETECTOR_CLIENT)
    turns = streaming.TurnOptions(detector=streaming.TURN_DETECTOR_VAD, threshold=asked.threshold)
    if asked.silence_duration_ms is not None:
        turns.min_silence.CopyFrom(duration(asked.silence_duration_ms / 1000))
    if asked.type == "semantic_vad":
        turns.detector = streaming.TURN_DETECTOR_MODEL
        turns.max_silence.CopyFrom(duration(EAGERNESS[asked.eagerness or "auto"]))
    return turns


def _refusal(options: streaming.StreamingOptions, capabilities: Sequence[str]) -> StageError | None:
    """Why an engine cannot do what is asked for; None where it can."""
    try:
        check_capable(options.transcribe, capabilities, "transcription")
    except StageError as error:
        return error
    by_model = options.turns.detector == streaming.TURN_DETECTOR_MODEL
    return (
        turn_model_missing("turn_detection")
        if by_model and TURN_MODEL not in capabilities
        else None
    )
