"""The two spellings of the realtime API: of today, and of its beta."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import Field

from maie_web.realtime.settings import (
    Format,
    NoiseReduction,
    SessionSettings,
    Strict,
    Transcription,
    TurnDetection,
)

OBJECT = "realtime.transcription_session"
_BETA_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_BETA_NAMES = {spelled: name for name, spelled in _BETA_FORMATS.items()}
NO_LOGPROBS = Field(default=None, max_length=0)


class Dialect(Protocol):
    """How settings and items are spelled.

    Attributes:
        update: The event that changes settings.
        created: The event that shows them first.
        updated: The event that shows them after a change.
        item_events: The events that show an item.
    """

    update: str
    created: str
    updated: str
    item_events: tuple[str, ...]

    def changes(self, session: Any) -> Mapping[str, Any]:
        """The settings that an update names.

        Raises:
            ValidationError: It is none.
        """

    def shown(self, session_id: str, settings: SessionSettings) -> dict[str, Any]:
        """The settings for a client."""


class _Input(Strict):
    format: Format | None = None
    noise_reduction: NoiseReduction | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = None


class _Audio(Strict):
    input: _Input = _Input()


class _Session(Strict):
    type: str = Field(pattern="^transcription$")
    audio: _Audio = _Audio()
    include: list[str] | None = NO_LOGPROBS


class Current:
    """The spelling of today."""

    update = "session.update"
    created = "session.created"
    updated = "session.updated"
    item_events: tuple[str, ...] = ("conversation.item.added", "conversation.item.done")

    def changes(self, session: Any) -> Mapping[str, Any]:
        """The settings that an update names."""
        named = _Session.model_validate(session).audio.input
        return _named(named, ("format", "transcription", "turn_detection"))

    def shown(self, session_id: str, settings: SessionSettings) -> dict[str, Any]:
        """The settings for a client."""
        return {
            "type": "transcription",
            "object": OBJECT,
            "id": session_id,
            "audio": {
                "input": {
                    "format": _said(settings.format),
                    "noise_reduction": None,
                    "transcription": _said(settings.transcription),
                    "turn_detection": _said(settings.turn_detection),
                }
            },
            "include": None,
        }


class _BetaSession(Strict):
    input_audio_format: str = Field(default="pcm16", pattern="^(pcm16|g711_ulaw|g711_alaw)$")
    input_audio_transcription: Transcription | None = None
    input_audio_noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = None
    modalities: list[str] | None = None
    include: list[str] | None = NO_LOGPROBS


class Beta:
    """The spelling of the beta (`OpenAI-Beta: realtime=v1`)."""

    update = "transcription_session.update"
    created = "transcription_session.created"
    updated = "transcription_session.updated"
    item_events: tuple[str, ...] = ("conversation.item.created",)

    def changes(self, session: Any) -> Mapping[str, Any]:
        """The settings that an update names."""
        named = _BetaSession.model_validate(session)
        changes = _named(named, ("turn_detection",))
        if "input_audio_format" in named.model_fields_set:
            kind = _BETA_FORMATS[named.input_audio_format]
            changes["format"] = Format.model_validate({"type": kind})
        if "input_audio_transcription" in named.model_fields_set:
            changes["transcription"] = named.input_audio_transcription
        return changes

    def shown(self, session_id: str, settings: SessionSettings) -> dict[str, Any]:
        """The settings for a client."""
        return {
            "object": OBJECT,
            "id": session_id,
            "input_audio_format": _BETA_NAMES[settings.format.type],
            "input_audio_noise_reduction": None,
            "input_audio_transcription": _said(settings.transcription),
            "turn_detection": _said(settings.turn_detection),
            "include": None,
        }


def _named(model: Strict, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(model, name) for name in names if name in model.model_fields_set}


def _said(model: Strict | None) -> dict[str, Any] | None:
    return None if model is None else model.model_dump(exclude_none=True)
