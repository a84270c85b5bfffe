"""The preprocess stage: measures a recording and cuts it into chunks of speech."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_audio.fork_server import ForkServer
from maie_audio.peaks import PEAK_SAMPLES
from maie_preprocess.audio import SAMPLE_BYTES
from maie_preprocess.chunk_length import ChunkLength
from maie_preprocess.cutting import duration_of
from maie_preprocess.decoding import PROGRAM, Decoding, decoding
from maie_preprocess.engine import SpeechEngine
from maie_preprocess.lanes import Lanes
from maie_preprocess.long_recordings import LongRecordings
from maie_preprocess.recording import choice_of, quality_of, source_format
from maie_preprocess.recording_warnings import warnings_of
from maie_preprocess.settings import ENGINES, PreprocessSettings
from maie_preprocess.source import open_recording
from maie_preprocess.wire import Opened
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.engines import load_engine
from maie_runtime.worker.stage import ResultFigures, StageContext
from maie_speech.finder import SpeechRules, Thresholds, speech_rules
from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE, WINDOW_FRAMES

WINDOW_BYTES = WINDOW_FRAMES * FRAME_SAMPLES * SAMPLE_BYTES
# The least increase of the progress that is reported.
PROGRESS_STEP = 0.01
# The settings that determine the result, together with the model.
PARAMETERS = (
    "vad_threshold", "vad_negative_threshold", "vad_narrow_band_threshold",
    "vad_narrow_band_negative_threshold", "vad_min_speech_ms", "vad_min_silence_ms",
    "vad_speech_pad_ms", "vad_max_speech_seconds",
)  # fmt: skip

log = structlog.get_logger()


class PreprocessStage:
    """Decodes, normalises, measures, finds speech and cuts; see `maie.preprocess.v1`."""

    # The model that finds speech runs on the CPU.
    weights = None

    def __init__(
        self,
        settings: PreprocessSettings,
        engine: SpeechEngine,
        executor: Executor,
        fork_server: ForkServer,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._executor = executor
        self._fork_server = fork_server
        self._rules = _rules(settings)
        long_slots = settings.long_slots or max(1, settings.slots // 2)
        self._long_recordings = LongRecordings(long_slots, settings.long_seconds)

    async def run(
        self, request: pb.PreprocessRequest, context: StageContext
    ) -> AsyncGenerator[pb.PreprocessResponse, None]:
        """Processes one recording; see `Stage.run`.

        Chunks are stored as `FOLDER/chunk-SHA256`, the waveform as `FOLDER/waveform-SHA256`.

        Raises:
            StageError: INVALID_ARGUMENT with AUDIO_EMPTY, AUDIO_CORRUPT,
                AUDIO_TOO_SHORT, AUDIO_TOO_LONG or UNSUPPORTED_FORMAT for the
                recording, another reason for the request itself; BusyError for a
                long recording above the limit on those.
        """
        length = ChunkLength.of(request, self._settings)
        choice = choice_of(request.recording_options, self._settings)
        async with (
            AsyncExitStack() as engine,
            open_recording(request, context.blobs, self._settings, self._executor) as recording,
            decoding(recording, self._settings, choice, self._fork_server) as decoded,
            self._long_recordings.track() as report_length,
        ):
            engine.enter_context(engine_call("maie.preprocess.decode"))
            opened = await decoded.open()
            chunk_seconds = length.seconds(_all_lanes(opened))
            lanes = self._lanes(chunk_seconds, context)
            reported = reached = 0.0
            async for lane, window in decoded.windows(WINDOW_BYTES):
                if opened is not decoded.opened:
                    # The recording is a call: everything before is void.
                    opened = await decoded.open()
                    chunk_seconds = length.seconds(_all_lanes(opened))
                    lanes = self._lanes(chunk_seconds, context)
                    reached = 0.0
                report_length(_seconds(lanes, decoded))
                await lanes.feed(lane, window)
                fraction = _fraction(lanes, decoded, recording)
                if fraction >= reached + PROGRESS_STEP:
                    # Decoding again still counts as a heartbeat, but progress never decreases.
                    reached, reported = fraction, max(reported, fraction)
                    yield pb.PreprocessResponse(progress=pb.PreprocessProgress(fraction=reported))
        await lanes.finish()
        result = self._result(lanes, decoded)
        result.waveform.CopyFrom(await _stored_waveform(lanes, context))
        result.vad_engine.parameters["chunk_seconds"] = json.dumps(chunk_seconds)
        yield pb.PreprocessResponse(result=result)

    def _lanes(self, chunk_seconds: float, context: StageContext) -> Lanes:
        target = round(chunk_seconds * SAMPLE_RATE)
        prefix = f"{context.folder}/chunk"
        return Lanes(self._engine, self._rules, target, context.blobs, prefix, self._executor)

    def figures(
        self, request: pb.PreprocessRequest, response: pb.PreprocessResponse
    ) -> ResultFigures:
        """The recording's length and warnings."""
        result = response.result
        return ResultFigures(
            audio_seconds=result.duration.ToNanoseconds() / 1e9,
            warnings=[warning.reason for warning in result.warnings],
        )

    def facts(self, response: pb.PreprocessResponse) -> event.UnitFacts:
        """The number of chunks and the recording's length."""
        result = response.result
        return event.UnitFacts(chunk_count=len(result.chunks), duration=result.duration)

    def models(self) -> Sequence[event.ModelInfo]:
        """The VAD model."""
        model = event.ModelInfo(
            engine=self._version(),
            description="Distinguishes speech from silence, noise and music.",
            capabilities=["voice_activity_detection"],
        )
        return [model]

    def _version(self) -> common.EngineVersion:
        version = common.EngineVersion()
        version.CopyFrom(self._engine.version)
        for name in PARAMETERS:
            version.parameters[name.removeprefix("vad_")] = json.dumps(
                getattr(self._settings, name)
            )
        return version

    def _result(self, lanes: Lanes, decoded: Decoding) -> pb.PreprocessResult:
        opened, done = decoded.opened, decoded.done
        assert opened is not None
        assert done is not None
        if done.damaged_packets:
            log.warning(
                "recording.damaged", damaged_packets=done.damaged_packets, packets=done.packets
            )
        return pb.PreprocessResult(
            source=source_format(opened, done),
            duration=duration_of(lanes.samples),
            quality=quality_of(lanes, opened, done),
            chunks=lanes.chunks,
            vad_engine=self._version(),
            warnings=warnings_of(opened, done, has_speech=bool(lanes.chunks)),
        )


async def _stored_waveform(lanes: Lanes, context: StageContext) -> common.Blob:
    made = common.Waveform(interval=duration_of(PEAK_SAMPLES), peaks=lanes.peaks())
    return await context.blobs.put_message(f"{context.folder}/waveform", made)


def _rules(settings: PreprocessSettings) -> SpeechRules:
    return speech_rules(
        wide=Thresholds(settings.vad_threshold, settings.vad_negative_threshold),
        narrow=Thresholds(
            settings.vad_narrow_band_threshold, settings.vad_narrow_band_negative_threshold
        ),
        min_speech_ms=settings.vad_min_speech_ms,
        min_silence_ms=settings.vad_min_silence_ms,
        speech_pad_ms=settings.vad_speech_pad_ms,
        max_speech_seconds=settings.vad_max_speech_seconds,
    )


def _all_lanes(opened: Opened) -> float | None:
    """The stated length of all lanes together, in seconds; None if not stated."""
    return opened.seconds * opened.lanes if opened.seconds else None


def _seconds(lanes: Lanes, decoded: Decoding) -> float:
    """The recording's length in seconds as known so far."""
    stated = decoded.opened.seconds if decoded.opened is not None else None
    return max(stated or 0.0, lanes.samples / SAMPLE_RATE)


def _fraction(lanes: Lanes, decoded: Decoding, recording: int) -> float:
    """The progress by time, or by bytes if the container states no length."""
    if decoded.opened is not None and decoded.opened.seconds:
        return min(1.0, lanes.samples / SAMPLE_RATE / decoded.opened.seconds)
    # The decoder uses the same open file, so its file position is visible here.
    size = os.fstat(recording).st_size
    return min(1.0, os.lseek(recording, 0, os.SEEK_CUR) / size)


@asynccontextmanager
async def open_stage(settings: PreprocessSettings) -> AsyncIterator[PreprocessStage]:
    """Opens the stage with a fork server of its own; see `open_stage_with`."""
    with ForkServer(PROGRAM) as fork_server:
        # It loads the decoders while this process loads the model.
        fork_server.warm_up()
        async with open_stage_with(fork_server, settings) as stage:
            yield stage


@asynccontextmanager
async def open_stage_with(
    fork_server: ForkServer, settings: PreprocessSettings
) -> AsyncIterator[PreprocessStage]:
    """Loads and verifies the model and yields the stage.

    Args:
        fork_server: Starts the decoding processes; of `decoding.PROGRAM`.
        settings: The service's settings.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_FOUND, MODEL_MISSING or
            MODEL_CORRUPT.
    """
    create = load_engine(ENGINES, settings.vad)
    with ThreadPoolExecutor(settings.slots, thread_name_prefix="recordings") as executor:
        async with create(settings) as engine:
            yield PreprocessStage(settings, engine, executor, fork_server)
