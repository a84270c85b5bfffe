"""The forms of OpenAI's API for the documentation: they are read as they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIType, Operation, Schema

from maie_web.documentation import form_body
from maie_web.openai.forms import FORMATS, GRANULARITIES, TRANSCRIPTS, TRANSLATION_FORMATS


def _text(description: str, *choices: str) -> Schema:
    return Schema(type=OpenAPIType.STRING, description=description, enum=list(choices) or None)


def _texts(description: str, *choices: str) -> Schema:
    items = Schema(type=OpenAPIType.STRING, enum=list(choices) or None)
    return Schema(type=OpenAPIType.ARRAY, items=items, description=description)


def _flag(description: str) -> Schema:
    return Schema(type=OpenAPIType.BOOLEAN, description=description)


_BOTH: Mapping[str, Schema] = {
    "model": _text(
        "whisper-1 or gpt-4o-transcribe-diarize for any model, or one of the ASR stage; GET "
        "/v1/models lists them."
    ),
    "prompt": _text("Text that the recording is taken to follow on."),
    "response_format": _text("What the answer is; json if unset.", *TRANSLATION_FORMATS),
    "temperature": Schema(
        type=OpenAPIType.NUMBER,
        description="0 to 1; at 0 the engine chooses.",
        minimum=0,
        maximum=1,
    ),
    "hotwords[]": _texts("Words that are likely to be spoken. Not of OpenAI's API."),
    "features": _text("clean_transcript if unset. Not of OpenAI's API.", *TRANSCRIPTS),
    "store": _flag("Whether the job is kept after the answer. Not of OpenAI's API."),
}
_TRANSCRIPTION: Mapping[str, Schema] = {
    **_BOTH,
    "response_format": _text(
        "What the answer is; json if unset. diarized_json says who speaks.", *FORMATS
    ),
    "language": _text("The spoken language; detected if unset."),
    "keywords[]": _texts("Words that are likely to be spoken."),
    "stream": _flag("Whether the text comes as server-sent events while it is recognised."),
    "chunking_strategy": _text("auto, or an object of the type server_vad as JSON."),
    "timestamp_granularities[]": _texts("What verbose_json has times of.", *GRANULARITIES),
}


@dataclass
class TranscriptionOperation(Operation):
    """Describes the form of a transcription."""

    def __post_init__(self) -> None:
        """Adds the form to the operation."""
        self.request_body = form_body(_TRANSCRIPTION, required=("file", "model"))


@dataclass
class TranslationOperation(Operation):
    """Describes the form of a translation."""

    def __post_init__(self) -> None:
        """Adds the form to the operation."""
        self.request_body = form_body(_BOTH, required=("file", "model"))
