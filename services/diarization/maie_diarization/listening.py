"""The map step: finds the voices in a chunk of speech."""

from __future__ import annotations

from concurrent.futures import Executor

from maie.diarization.v1 import diarization_pb2 as diarization
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.attributes import AUDIO_SECONDS
from maie_core.durations import seconds
from maie_diarization.engine import Engine
from maie_diarization.messages import channel_voice, voice_message
from maie_runtime.worker.blocking import run_blocking
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.stage import StageContext
from maie_speech.chunk_audio import load_chunk
from maie_speech.speech import Speech


def is_one_speaker(chunk: preprocess.Chunk) -> bool:
    """Whether a chunk is one channel or track of several, which is a speaker by itself."""
    return bool(chunk.channel or chunk.track)


class Listener:
    """Finds voices with one engine.

    Args:
        engine: The engine.
        executor: Where it runs.
    """

    def __init__(self, engine: Engine, executor: Executor) -> None:
        self._engine = engine
        self._executor = executor

    async def chunk(self, chunk: preprocess.Chunk, context: StageContext) -> diarization.Voices:
        """The voices of a chunk. One that is a channel of several is not listened to.

        Raises:
            StageError: As `load_chunk`.
        """
        if is_one_speaker(chunk):
            voices = [channel_voice(chunk)] if chunk.speech else []
            return diarization.Voices(chunk=chunk, voices=voices, engine=self._engine.version)
        speech = await load_chunk(chunk, context.blobs, self._executor)
        return await self.speech(speech, chunk, context)

    async def speech(
        self, speech: Speech, chunk: preprocess.Chunk, context: StageContext
    ) -> diarization.Voices:
        """The voices in audio.

        Args:
            speech: The audio.
            chunk: The chunk that it is; its place gives the times.
            context: Takes heartbeats.
        """
        found = diarization.Voices(
            chunk=chunk,
            engine=self._engine.version,
            embedding_space=self._engine.embedding_space,
        )
        if not speech.ranges:
            return found
        offset = seconds(chunk.range.start_offset)
        with engine_call("maie.diarization.listen", {AUDIO_SECONDS: speech.seconds}):
            voices = await run_blocking(
                self._executor,
                lambda beat: self._engine.listen(speech.samples, speech.ranges, beat),
                context.heartbeat,
            )
        found.voices.extend(voice_message(voice, offset) for voice in voices)
        return found

    async def comparable(
        self, voices: diarization.Voices, context: StageContext
    ) -> diarization.Voices:
        """Voices that can be compared with this engine's: those of another are found anew.

        Chunks of one recording may come from workers with different engines, such as during an
        upgrade.

        Raises:
            StageError: As `load_chunk`.
        """
        space = self._engine.embedding_space
        if is_one_speaker(voices.chunk) or voices.embedding_space == space:
            return voices
        return await self.chunk(voices.chunk, context)
