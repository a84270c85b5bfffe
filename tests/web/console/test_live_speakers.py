"""People who share a microphone, on the page of a live session: told apart while they speak."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import expect

from maie.common.v1 import types_pb2 as common
from maie_asr.settings import AsrSettings
from maie_client import Client
from maie_diarization.clustering.linkage import Floats
from maie_diarization.engine import Samples, SpeechRange, Turn, Voice, own_space
from maie_diarization.live.service import open_live
from maie_diarization.settings import DiarizationSettings
from maie_diarization.stage import DiarizeStage
from maie_pipeline.bindings import BINDINGS
from maie_runtime.blobs import Blobs
from maie_runtime.worker.server import serve_stage
from maie_speech.frames import SAMPLE_RATE
from tests.asr.recordings import wav
from tests.browser import PATIENCE_MILLISECONDS, chromium, complaints, hearing
from tests.diarization.voices import CALIBRATION, DIMENSIONS
from tests.gateway.conftest import EmptyMesh
from tests.live_engine import WORDS, instant_stage, quiet, read_words, say
from tests.web.conftest import web_before
from tests.web.console.listening import recording_of
from tests.web.console.recordings import needs_console

pytestmark = [*needs_console]

# What each says: other words each time, since who says one over and over is taken for noise.
ANN, BEN, BOTH = WORDS[:8], WORDS[8:16], WORDS[16:24]
# How alike their voices are, as angles. The third is like both others, so that all turn out to be
# one.
DEGREES = dict.fromkeys(ANN, 0) | dict.fromkeys(BEN, 60) | dict.fromkeys(BOTH, 30)
# A browser changes a microphone's sound for people, and so the words of tones.
PLAIN_MICROPHONE = """
const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = ({ audio }) => original({ audio: {
  ...(audio === true ? {} : audio),
  echoCancellation: false, noiseSuppression: false, autoGainControl: false,
} });
"""


class ToneEngine:
    """Takes each word of `live_engine` for somebody's."""

    description = "Words as voices."
    calibration = CALIBRATION
    vram_bytes = 0
    weights = None

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        return common.EngineVersion(engine="tones", checkpoint_sha256="0" * 64)

    @property
    def embedding_space(self) -> str:
        """See `Engine`."""
        return own_space(self.version)

    def listen(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> list[Voice]:
        """See `Engine`."""
        said = defaultdict[int, list[Turn]](list)
        for word in read_words(samples):
            if word.text in DEGREES:
                said[DEGREES[word.text]].append(Turn(start=word.start, end=word.end))
        return [
            Voice(
                window=Turn(start=0.0, end=len(samples) / SAMPLE_RATE),
                turns=tuple(turns),
                embedding=_sound(degrees),
                clean_duration=sum(turn.end - turn.start for turn in turns),
            )
            for degrees, turns in said.items()
        ]


def _sound(degrees: int) -> Floats:
    angle = np.radians(degrees)
    found = np.zeros(DIMENSIONS, np.float32)
    found[:2] = np.cos(angle), np.sin(angle)
    return found


@asynccontextmanager
async def listening(mesh: EmptyMesh) -> AsyncIterator[Client]:
    """A gateway with live stages that read tones and tell them apart."""
    asr = AsrSettings(mesh=mesh.mesh, listen="127.0.0.1:0")
    settings = DiarizationSettings(mesh=mesh.mesh, listen="127.0.0.1:0")

    @asynccontextmanager
    async def diarization(_: Blobs) -> AsyncIterator[DiarizeStage]:
        engine = ToneEngine()
        with ThreadPoolExecutor(1) as executor:
            async with open_live(settings, engine) as live:
                yield DiarizeStage(engine, executor, live)

    async with AsyncExitStack() as stack:
        for each in (
            serve_stage(BINDINGS["asr"], asr, lambda _: instant_stage(asr)),
            serve_stage(BINDINGS["diarization"], settings, diarization),
        ):
            await stack.enter_async_context(each)
        address = await stack.enter_async_context(mesh.gateway())
        yield await stack.enter_async_context(Client(address))


def _written(folder: Path) -> Path:
    """What the microphone plays."""
    sound = [quiet(1.5)]
    for words in (ANN, BEN, BEN, *[BOTH] * 6):
        sound += [say(*words), quiet(1.0)]
    path = folder / "microphone.wav"
    path.write_bytes(wav(np.concatenate(sound)))
    return path


@pytest.mark.slow
async def test_labels_appear_and_change_where_people_share_a_microphone(
    empty_mesh: EmptyMesh, tmp_path: Path
) -> None:
    async with (
        listening(empty_mesh) as client,
        web_before(client) as web,
        chromium(*hearing(_written(tmp_path))) as browser,
        await browser.new_context() as context,
    ):
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        page = await context.new_page()
        await page.add_init_script(PLAIN_MICROPHONE)
        found = complaints(page)
        await page.goto(f"{web.url}/live")
        for unwanted in ("Summary", "Clean transcript"):
            await page.get_by_label(unwanted, exact=True).uncheck()
        await page.get_by_label("Raw transcript").check()
        await page.get_by_label("Tell apart people who share a microphone").check()
        await page.get_by_role("button", name="Start").click()
        anns = page.locator(".said-line", has_text=ANN[0]).locator(".voice")
        bens = page.locator(".said-line", has_text=BEN[0]).locator(".voice")
        await expect(anns.first).to_have_text("Speaker 1")
        await expect(bens.first).to_have_text("Speaker 2")
        # In place, in the lines that were there.
        await expect(bens.first).to_have_text("Speaker 1")
        await expect(page.locator(".voice", has_text="Speaker 2")).to_have_count(0)
        await page.get_by_role("button", name="Stop").click()
        job_id = await recording_of(page)
        results = (await client.get_job(job_id)).results
        assert {each.speaker for each in results.segments if BEN[0] in each.text} == {"S1"}
        assert found.errors == found.elsewhere == []
