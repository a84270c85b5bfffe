"""A browser whose microphone plays a recording, before a real mesh that reads it live."""

from __future__ import annotations

import re
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import httpx
from playwright.async_api import Page, expect

from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from tests.asr.real_models import real_model
from tests.browser import PATIENCE_MILLISECONDS, chromium, hearing
from tests.web.console.recordings import ROOT

STANDUP = ROOT / "samples/standup.flac"
RATE = 16_000


@asynccontextmanager
async def listening_mesh(folder: Path) -> AsyncIterator[LocalMesh]:
    """A mesh with a real engine for live speech."""
    settings = {
        "MAIE_ASR_ENGINE": "whisper",
        "MAIE_ASR_WHISPER_MODEL_PATH": str(real_model("whisper-tiny.en")),
        "MAIE_ASR_WHISPER_CPU_THREADS": "1",
        "MAIE_ASR_LANGUAGE_CODE": "en",
        "MAIE_GATEWAY_LIVE_LINGER_SECONDS": "1",
    }
    options = MeshOptions(
        data=folder / "mesh", port_base=0, web_port=0, profile="tiny", environment=settings
    )
    async with LocalMesh(options, lambda _: None) as mesh:
        yield mesh


@asynccontextmanager
async def listening_page(folder: Path, recording: Path = STANDUP) -> AsyncIterator[Page]:
    """A page of a browser that hears a recording once, as soon as its microphone is opened."""
    sound = folder / "microphone.wav"
    write_wav(recording, sound)
    async with chromium(*hearing(sound)) as browser, await browser.new_context() as context:
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        yield await context.new_page()


def address_of(mesh: LocalMesh) -> str:
    """Where a mesh's console is."""
    return f"http://{mesh.children['web'].part.address}"


async def lines_of(page: Page) -> list[str]:
    """The lines of text that a live page shows."""
    return await page.locator(".said-line > span:last-child").all_inner_texts()


async def transcript_of(url: str, job: str) -> list[str]:
    """The lines of a recording's transcript, as the page of its session had them."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        results = (await http.get(f"/v1/jobs/{job}")).json()["results"]
    return [each["text"] for each in results["segments"]]


async def said(page: Page, words: str) -> None:
    """Waits until a line with these words has come."""
    await expect(page.locator(".said-line", has_text=words).first).to_be_visible()


async def recording_of(page: Page) -> str:
    """Waits for the end of a session, and gives the id of the recording that it became."""
    link = page.get_by_role("link", name="Open the recording")
    await expect(link).to_be_visible()
    found = re.fullmatch("/recordings/(.+)", await link.get_attribute("href") or "")
    assert found
    return found[1]


def write_wav(recording: Path, path: Path) -> None:
    """Writes what a browser's microphone can play."""
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(str(recording)) as file, wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        for frame in file.decode(audio=0):
            for part in resampler.resample(frame):
                sound.writeframes(part.to_ndarray().tobytes())
