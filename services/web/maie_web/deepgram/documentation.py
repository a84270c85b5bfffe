"""The parameters of Deepgram's API for the documentation: they are read as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)

_FLAGS: Mapping[str, str] = {
    "punctuate": "Whether the text has punctuation and casing.",
    "smart_format": "The same, and paragraphs.",
    "paragraphs": "The same, and paragraphs.",
    "utterances": "Whether the answer has the text by utterances, too.",
    "diarize": "Whether the answer says who speaks, by numbers from 0. Not of live speech.",
    "multichannel": "Whether each channel is read by itself.",
    "detect_language": "Whether the answer names the language.",
    "store": "Whether the job is kept after the answer. Not of Deepgram's API.",
}
_TEXTS: Mapping[str, str] = {
    "model": "nova-3, nova-2 or whisper for any model, or one that GET /v1/models lists.",
    "diarize_model": "latest does the same as `diarize`.",
    "language": "The spoken language; detected if unset, and with `multi`.",
    "keyterm": "A word that is likely to be spoken; may be repeated.",
    "keywords": "The same.",
}


def _parameters() -> list[Parameter]:
    kinds = {OpenAPIType.BOOLEAN: _FLAGS, OpenAPIType.STRING: _TEXTS}
    return [
        Parameter(name=name, param_in="query", description=text, schema=Schema(type=kind))
        for kind, described in kinds.items()
        for name, text in described.items()
    ]


@dataclass
class ListenOperation(Operation):
    """Describes the parameters and the body of a transcription."""

    def __post_init__(self) -> None:
        """Adds them to the operation."""
        self.parameters = list(_parameters())
        recording = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        address = Schema(
            type=OpenAPIType.OBJECT,
            required=["url"],
            properties={"url": Schema(type=OpenAPIType.STRING)},
        )
        self.request_body = RequestBody(
            content={
                "application/octet-stream": recording,
                "application/json": OpenAPIMediaType(schema=address),
            },
            description="The recording as it is, or its URL, from which the gateway fetches it.",
            required=True,
        )
