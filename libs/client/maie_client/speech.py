"""Text as speech."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Literal, get_args

from maie.speech.v1 import speech_pb2 as speech
from maie.speech.v1 import speech_pb2_grpc as speech_grpc
from maie_client.asking import Ask
from maie_client.text import sendable
from maie_client.uploads import Calling

SpeechFormat = Literal["wav", "opus", "mp3", "flac", "pcm"]
"""The formats of audio: PCM is samples alone, 16 bits, little-endian, mono, at 24 kHz."""
SPEECH_FORMATS: tuple[SpeechFormat, ...] = get_args(SpeechFormat)

AUDIO_FORMATS: dict[str, speech.AudioFormat] = {
    "wav": speech.AUDIO_FORMAT_WAV,
    "opus": speech.AUDIO_FORMAT_OPUS,
    "mp3": speech.AUDIO_FORMAT_MP3,
    "flac": speech.AUDIO_FORMAT_FLAC,
    "pcm": speech.AUDIO_FORMAT_PCM,
}
"""The formats by name."""


class Speech:
    """Speaks texts; `Client.speech` has it."""

    def __init__(
        self, stub: Callable[[], speech_grpc.SpeechServiceStub], ask: Ask, calling: Calling
    ) -> None:
        self._stub = stub
        self._ask = ask
        self._calling = calling

    async def voices(self) -> list[speech.Voice]:
        """Lists the voices, the default one first."""
        listed: speech.ListVoicesResponse = await self._ask(
            self._stub().ListVoices, speech.ListVoicesRequest()
        )
        return list(listed.voices)

    async def synthesize(
        self,
        text: str,
        *,
        voice: str = "",
        speed: float = 1.0,
        audio_format: SpeechFormat = "wav",
    ) -> AsyncGenerator[speech.SynthesizeResponse, None]:
        """Yields speech as it is made, and at last the result. A broken call is not resumed.

        Args:
            text: The text, in English.
            voice: The voice's name; empty: the default one.
            speed: The pace, 0.25 to 4; 1 is the voice's own.
            audio_format: The format.

        Raises:
            ClientError: Such as UNAVAILABLE with SPEECH_UNAVAILABLE, or INVALID_ARGUMENT with
                SPEECH_VOICE_UNKNOWN.
        """
        request = speech.SynthesizeRequest(
            text=sendable(text),
            voice=sendable(voice),
            speed=speed,
            format=AUDIO_FORMATS[audio_format],
        )
        with self._calling(speech.SynthesizeRequest) as metadata:
            call = self._stub().Synthesize(request, metadata=metadata)
            try:
                async for response in call:
                    yield response
            finally:
                call.cancel()
