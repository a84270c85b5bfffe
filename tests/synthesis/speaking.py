"""Has a stage speak, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maie.speech.v1 import speech_pb2 as speech
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext


@dataclass(kw_only=True, slots=True)
class Heard:
    """What a call of Synthesize answered.

    Attributes:
        content: The audio.
        marks: The marks, in the order of their coming.
        sizes: The length of each message's content.
        result: The result; unset before the end.
    """

    content: bytearray = field(default_factory=bytearray)
    marks: list[speech.Mark] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    result: speech.SynthesizeResult | None = None

    def take(self, response: speech.SynthesizeResponse) -> None:
        """Takes the next response, and refuses one after the result."""
        assert self.result is None
        if response.HasField("result"):
            self.result = response.result
            return
        self.content += response.audio.content
        self.marks.extend(response.audio.marks)
        self.sizes.append(len(response.audio.content))

    def of(self, kind: speech.MarkKind) -> list[speech.Mark]:
        """The marks of one kind."""
        return [mark for mark in self.marks if mark.kind == kind]


def context(folder: Path) -> StageContext:
    """The context of a direct call."""
    blobs = Blobs((folder / "blobs").as_uri())
    return StageContext(job_id="job", unit="direct", attempt=1, blobs=blobs, folder="jobs/test")


async def heard(responses: Any) -> Heard:
    """All of a call."""
    found = Heard()
    async for response in responses:
        found.take(response)
    return found
