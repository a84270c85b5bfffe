"""The synthesis stage."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager

from maie.event.v1 import event_pb2 as event
from maie.speech.v1 import speech_pb2 as speech
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_core.synthesis import check_synthesis
from maie_runtime.blobs import Blobs
from maie_runtime.worker.engines import load_engine
from maie_runtime.worker.stage import ResultFigures, StageContext
from maie_synthesis.digest import spoken_summary
from maie_synthesis.engine import Engine
from maie_synthesis.settings import ENGINES, SynthesisSettings
from maie_synthesis.speaking import Speaker


class SynthesizeStage:
    """Speaks texts.

    Args:
        engine: The engine.
        executor: Where text is read and audio is encoded.
    """

    def __init__(self, engine: Engine, executor: ThreadPoolExecutor) -> None:
        self.weights = engine.weights
        self._engine = engine
        self._executor = executor
        self._names = [voice.name for voice in engine.voices]

    async def run(
        self, request: speech.SynthesizeRequest, context: StageContext
    ) -> AsyncGenerator[speech.SynthesizeResponse, None]:
        """Yields the audio of a text, and at last the result; a summary's audio is stored.

        Raises:
            StageError: INVALID_ARGUMENT with SPEECH_VOICE_UNKNOWN, or as `check_synthesis` and
                `Speaker.speak`.
        """
        of_job = request.HasField("summary")
        if not of_job:
            check_synthesis(request)
        speaker = Speaker(
            self._engine,
            self._executor,
            voice=self._voice(request.voice),
            speed=request.speed or 1.0,
            audio_format=request.format,
            heartbeat=context.heartbeat,
        )
        spoken = (
            spoken_summary(speaker, request, context) if of_job else speaker.speak(request.text)
        )
        async with aclosing(spoken) as responses:
            async for response in responses:
                yield response

    def _voice(self, name: str) -> str:
        if not name:
            return self._names[0]
        if name not in self._names:
            known = ", ".join(self._names)
            raise invalid(
                Reason.SPEECH_VOICE_UNKNOWN,
                f"There is no voice of this name; the voices are: {known}.",
                field="voice",
            )
        return name

    def figures(
        self, request: speech.SynthesizeRequest, response: speech.SynthesizeResponse
    ) -> ResultFigures:
        """The length of a summary's audio, and the reasons of its warnings."""
        made = response.spoken_summary.digest
        return ResultFigures(
            audio_seconds=seconds(made.result.duration),
            warnings=sorted({warning.reason for warning in made.warnings}),
        )

    def facts(self, response: speech.SynthesizeResponse) -> event.UnitFacts:
        """Nothing that the conductor needs."""
        return event.UnitFacts()

    def models(self) -> Sequence[event.ModelInfo]:
        """The engine, with its voices."""
        return [
            event.ModelInfo(
                engine=self._engine.version,
                description=self._engine.description,
                vram_bytes=self._engine.vram_bytes,
                language_codes=sorted({voice.language for voice in self._engine.voices}),
                voices=[
                    speech.Voice(
                        name=voice.name,
                        description=voice.description,
                        language_code=voice.language,
                        engine=self._engine.version.engine,
                    )
                    for voice in self._engine.voices
                ],
            )
        ]


@asynccontextmanager
async def open_stage(settings: SynthesisSettings, blobs: Blobs) -> AsyncIterator[SynthesizeStage]:
    """Loads the engine that the settings name.

    Args:
        settings: The service's settings.
        blobs: The object store; a stage gets it with each unit.

    Raises:
        StageError: FAILED_PRECONDITION where the engine or its model is missing.
    """
    with ThreadPoolExecutor(settings.slots, "synthesis") as executor:
        async with load_engine(ENGINES, settings.engine)(settings) as engine:
            yield SynthesizeStage(engine, executor)
