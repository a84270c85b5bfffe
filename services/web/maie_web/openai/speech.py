"""Text in, and speech out, as OpenAI's clients ask for it.

Reference: https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from litestar import post
from litestar.background_tasks import BackgroundTask
from litestar.params import JSONBody
from litestar.response import Stream

from maie.speech.v1 import speech_pb2 as speech
from maie_client import ClientError
from maie_client.speech import SPEECH_FORMATS, SpeechFormat
from maie_core.codes import Code
from maie_core.errors import StageError, invalid
from maie_core.limits import MAX_SPEECH_SPEED, MIN_SPEECH_SPEED
from maie_core.reasons import Reason
from maie_web.callers import CallersClient
from maie_web.openai.errors import stream_error, unsupported
from maie_web.openai.models import TAGS

log = structlog.get_logger()

MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""What OpenAI's clients ask for; here it is whatever engine has the voice."""
VOICES = frozenset(
    {
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
        *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
    }
)
"""OpenAI's own voices: the default one speaks for them, unless a voice has the name."""
MEDIA_TYPES: Mapping[str, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "pcm": "audio/pcm",
}
STREAM_FORMATS = ("audio", "sse")

Spoken = AsyncGenerator[speech.SynthesizeResponse, None]


@dataclass(kw_only=True, frozen=True, slots=True)
class CreateSpeech:
    """What to speak.

    Attributes:
        model: tts-1, tts-1-hd or gpt-4o-mini-tts for any engine, or the name of one, such as flite.
        input: The text, in English.
        voice: A voice of the mesh (`maie speak --voices`), or one of OpenAI's, in whose place the
            default one speaks.
        response_format: The format of the audio: mp3, opus, flac, wav or pcm.
        speed: The pace, 0.25 to 4.
        stream_format: audio: the bytes alone, as they are made; sse: server-sent events with them.
        instructions: How to speak; no engine follows it, so that it must be empty.
    """

    model: str
    input: str
    voice: str
    response_format: str = "mp3"
    speed: float = 1.0
    stream_format: str = "audio"
    instructions: str = ""


@post(
    "/v1/audio/speech",
    summary="Speak a text",
    tags=TAGS,
    status_code=HTTPStatus.OK,
)
async def create_speech(data: JSONBody[CreateSpeech], client: CallersClient) -> Stream:
    """Takes a text, and answers with speech while it is made."""
    audio_format = _checked(data)
    voice = _voice(data, await client.speech.voices())
    spoken = client.speech.synthesize(
        data.input, voice=voice, speed=data.speed, audio_format=audio_format
    )
    # Before the answer begins, since then it is too late for a status.
    first = await _first(spoken)
    as_events = data.stream_format == "sse"
    return Stream(
        _events(first, spoken) if as_events else _audio(first, spoken),
        media_type="text/event-stream" if as_events else MEDIA_TYPES[audio_format],
        headers={"cache-control": "no-cache"},
        # A client that has left already never starts the stream.
        background=BackgroundTask(spoken.aclose),
    )


def _checked(asked: CreateSpeech) -> SpeechFormat:
    """The format, of a request that may be served.

    Raises:
        StageError: INVALID_ARGUMENT.
    """
    if asked.response_format not in SPEECH_FORMATS:
        formats = ", ".join(SPEECH_FORMATS)
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE, f"Choose a format of {formats}.", field="response_format"
        )
    if not MIN_SPEECH_SPEED <= asked.speed <= MAX_SPEECH_SPEED:
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"The speed is {MIN_SPEECH_SPEED:g} to {MAX_SPEECH_SPEED:g}.",
            field="speed",
        )
    if asked.stream_format not in STREAM_FORMATS:
        raise invalid(Reason.OPTION_OUT_OF_RANGE, "Choose audio or sse.", field="stream_format")
    if asked.instructions:
        raise unsupported("instructions", "No engine follows instructions")
    return asked.response_format


def _voice(asked: CreateSpeech, voices: Sequence[speech.Voice]) -> str:
    """The name of the voice to ask for; empty for the default one.

    Raises:
        StageError: NOT_FOUND with MODEL_UNKNOWN.
    """
    engines = {voice.engine for voice in voices}
    if asked.model not in MODELS and asked.model not in engines:
        known = ", ".join((*MODELS, *sorted(engines)))
        raise StageError(
            Code.NOT_FOUND,
            Reason.MODEL_UNKNOWN,
            f"There is no such model for speech; there are {known}.",
            field="model",
        )
    own = {voice.name for voice in voices if asked.model in MODELS or voice.engine == asked.model}
    if asked.voice in VOICES and asked.voice not in own:
        return next((voice.name for voice in voices if voice.name in own), "")
    return asked.voice


async def _first(spoken: Spoken) -> speech.SynthesizeResponse:
    try:
        return await anext(spoken)
    except BaseException:
        await spoken.aclose()
        raise


async def _audio(first: speech.SynthesizeResponse, spoken: Spoken) -> AsyncGenerator[bytes, None]:
    """The audio, from the first message on; what was left out is only logged."""
    async with aclosing(spoken):
        yield first.audio.content
        async for response in spoken:
            if response.audio.content:
                yield response.audio.content
            if count := response.result.unspoken_sentences:
                log.warning(
                    "speech.unspoken",
                    sentences=count,
                    spoken=response.result.spoken_sentences,
                    remedy="Ask with stream_format sse, or by gRPC, to learn which and why.",
                )


async def _events(first: speech.SynthesizeResponse, spoken: Spoken) -> AsyncGenerator[bytes, None]:
    """The audio as events; the last one says what was left out, which OpenAI's has no word for."""
    done: dict[str, Any] = {"type": "speech.audio.done"}
    try:
        async with aclosing(spoken):
            yield _delta(first)
            async for response in spoken:
                if response.audio.content:
                    yield _delta(response)
                if response.result.unspoken_sentences:
                    done |= _left_out(response.result)
        yield _sent(done)
    except (ClientError, StageError) as error:
        yield _sent(stream_error(error))


def _delta(response: speech.SynthesizeResponse) -> bytes:
    audio = base64.b64encode(response.audio.content).decode()
    return _sent({"type": "speech.audio.delta", "audio": audio})


def _left_out(result: speech.SynthesizeResult) -> dict[str, Any]:
    return {
        "unspoken_sentences": result.unspoken_sentences,
        "unspoken": [
            {
                "text_offset": sentence.text_offset,
                "text_length": sentence.text_length,
                "message": sentence.message,
            }
            for sentence in result.unspoken
        ],
    }


def _sent(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()
