"""The engine `triton` and NVIDIA's Triton itself. `make test-triton` runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maie_alignment.engine import AlignedWord
from maie_alignment.engines.triton.engine import TritonEngine, create
from maie_alignment.engines.wav2vec2.engine import create as create_wav2vec2
from maie_alignment.settings import AlignmentSettings, TritonSettings, Wav2Vec2Settings
from maie_core.errors import StageError
from maie_core.reasons import Reason
from tests.alignment.ctc_model import TOKENS, write_model
from tests.alignment.engine_cases import HAMA, as_tones, needs_hama, read_aloud
from tests.alignment.real_triton import Model, needs_triton, triton_serving
from tests.certificates import TestCa

pytestmark = [pytest.mark.unit, needs_triton]

SECRET = "s3cr3t"
RESTRICTED = f"--grpc-restricted-protocol=health,metadata,inference:key={SECRET}"


def tones(folder: Path) -> Model:
    """The model of letters; it has the batch among its dimensions."""
    return Model(
        path=write_model(folder / "tones") / "model.onnx",
        batch=0,
        inputs={"input_values": ("TYPE_FP32", "[ -1, -1 ]")},
        output=("logits", f"[ -1, -1, {len(TOKENS)} ]"),
    )


def phones() -> Model:
    """The model of hama; Triton adds the batch."""
    return Model(
        path=HAMA / "model.onnx",
        batch=8,
        inputs={"waveform": ("TYPE_FP32", "[ -1 ]"), "waveform_lengths": ("TYPE_INT64", "[ 1 ]")},
        output=("log_probs", "[ -1, 191 ]"),
    )


@asynccontextmanager
async def opened(address: str, ca: TestCa, folder: Path, **own: Any) -> AsyncIterator[TritonEngine]:
    """An engine for the model of letters, unless others are named."""
    named = {"model": "tones", "model_path": folder / "tones", "ca_file": ca.ca_file, **own}
    settings = AlignmentSettings(slots=2, triton=TritonSettings(address=address, **named))
    async with create(settings) as engine:
        yield engine


async def refusal(address: str, ca: TestCa, folder: Path, **own: Any) -> StageError:
    """Why an engine does not start."""
    with pytest.raises(StageError) as refused:
        async with opened(address, ca, folder, **own):
            pass
    return refused.value


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    return TestCa(folder=tmp_path / "ca")


def seen(words: list[AlignedWord]) -> list[tuple[str, float, float]]:
    return [(each.text, each.start, round(each.score, 3)) for each in words]


@needs_hama
async def test_words_are_those_of_the_model_on_this_machine(tmp_path: Path, ca: TestCa) -> None:
    models = {"tones": tones(tmp_path), "phones": phones()}
    hama = Wav2Vec2Settings(model_path=HAMA)
    async with triton_serving(tmp_path / "triton", models, ca) as (address, _):
        async with (
            opened(address, ca, tmp_path, model="phones", model_path=HAMA) as engine,
            create_wav2vec2(AlignmentSettings(wav2vec2=hama)) as here,
        ):
            found = await engine.align(*read_aloud())
            assert seen(found) == seen(await here.align(*read_aloud()))
            assert (engine.version.library, engine.max_seconds) == ("triton 2.51.0", 30)
            assert engine.version.parameters["model_version"] == "1"
            samples, words = read_aloud()
            long = np.resize(samples, 30 * 16_000)
            call = asyncio.create_task(engine.align(long, words))
            await asyncio.sleep(0.05)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            together = (engine.align(samples.copy(), words) for _ in range(6))
            assert [seen(each) for each in await asyncio.gather(*together)] == [seen(found)] * 6
        error = await refusal(address, ca, tmp_path, model="other")
        assert error.reason == Reason.MODEL_MISSING
        error = await refusal(address, ca, tmp_path, model_version="7")
        assert error.reason == Reason.MODEL_MISSING
        error = await refusal(address, ca, tmp_path, model="phones")
        assert error.reason == Reason.MODEL_SETTINGS_INVALID
        error = await refusal(address, TestCa(folder=tmp_path / "foreign"), tmp_path)
        assert "does not trust" in error.message


async def test_triton_is_shown_a_certificate_and_a_token_and_found_again(
    tmp_path: Path, ca: TestCa
) -> None:
    ca.files("alignment")
    (tmp_path / "token").write_text(SECRET)
    (tmp_path / "wrong").write_text("wrong")
    paths = ca.paths("alignment")
    certificate = {"cert_file": paths["certificate"], "key_file": paths["key"]}
    header = {"token_header": "triton-grpc-protocol-key"}
    options = ("--grpc-use-ssl-mutual=true", RESTRICTED)
    models = {"tones": tones(tmp_path)}
    async with triton_serving(tmp_path / "one", models, ca, *options) as (address, process):
        error = await refusal(address, ca, tmp_path)
        assert "MAIE_ALIGNMENT_TRITON_CERT_FILE" in error.message
        error = await refusal(
            address, ca, tmp_path, **certificate, **header, token_file=tmp_path / "wrong"
        )
        assert error.reason == Reason.MODEL_ACCESS_DENIED
        shown = {**certificate, **header, "token_file": tmp_path / "token"}
        async with opened(
            address, ca, tmp_path, **shown, probe_seconds=0.1, retry_seconds=0
        ) as engine:
            samples, words = as_tones()
            assert len(await engine.align(samples, words)) == len(words)
            changes = engine.readiness()
            process.kill()
            assert not await anext(changes)
            with pytest.raises(StageError) as failed:
                await engine.align(samples.copy(), words)
            assert failed.value.reason == Reason.MODEL_UNAVAILABLE
            port = int(address.rpartition(":")[2])
            again = triton_serving(tmp_path / "two", models, ca, *options, port=port)
            async with again:
                assert await anext(changes)
                assert len(await engine.align(samples.copy(), words)) == len(words)
            await changes.aclose()
