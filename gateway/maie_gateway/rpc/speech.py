"""SpeechService: text in, speech out while it is made."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from maie.speech.v1 import speech_pb2 as speech
from maie.speech.v1 import speech_pb2_grpc
from maie_gateway.speech.synthesizers import Synthesizers


class SpeechService(speech_pb2_grpc.SpeechServiceServicer):
    """Serves maie.speech.v1.SpeechService; nothing of a text is kept."""

    def __init__(self, synthesizers: Synthesizers) -> None:
        self._synthesizers = synthesizers

    async def Synthesize(
        self, request: speech.SynthesizeRequest, context: Any
    ) -> AsyncGenerator[speech.SynthesizeResponse, None]:
        """Speaks a text."""
        async with aclosing(self._synthesizers.speak(request)) as responses:
            async for response in responses:
                yield response

    async def ListVoices(
        self, request: speech.ListVoicesRequest, context: Any
    ) -> speech.ListVoicesResponse:
        """Lists the voices of the synthesis services that run."""
        return speech.ListVoicesResponse(voices=self._synthesizers.voices())
