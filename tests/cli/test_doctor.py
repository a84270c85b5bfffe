"""What doctor says of settings and of this machine's speed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.stage import open_stage
from maie_cli.doctor.finding import Health
from maie_cli.doctor.speed import MEASURED_SECONDS, capacity, read_speech, speed
from maie_runtime.blobs import Blobs
from tests.asr.recordings import TINY_WHISPER
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

# A part reads its settings before it loads anything, so these keep doctor short.
WRONG = {
    "MAIE_PREPROCESS_CHUNK_SECONDS": "abc",
    "MAIE_ASR_HOTWORDS": "not JSON",
    "MAIE_ENHANCEMENT_SLOTS": "0",
    "MAIE_SUMMARY_SLOTS": "2.5",
    "MAIE_GATEWAY_MAX_ACTIVE_JOBS": "-1",
}


def test_doctor_names_each_setting_that_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    maie = Path(sys.executable).with_name("maie")
    done = subprocess.run(
        [maie, "doctor", "--no-measure", "--data", tmp_path, "--profile", "embedded"],
        env={name: text for name, text in os.environ.items() if "MAIE_" not in name} | WRONG,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("not ok")]
    for what, variable in (
        ("preprocess engine", "MAIE_PREPROCESS_CHUNK_SECONDS: "),
        ("asr engine", "MAIE_ASR_HOTWORDS is no valid JSON"),
        ("enhancement engine", "MAIE_ENHANCEMENT_SLOTS: "),
        ("summary engine", "MAIE_SUMMARY_SLOTS: "),
        ("gateway settings", "MAIE_GATEWAY_MAX_ACTIVE_JOBS: "),
    ):
        (line,) = [line for line in lines if line.startswith(f"not ok  {what}: {variable}")]
        assert "docs/settings.md" in line
    assert "pydantic" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


async def test_the_speed_is_that_of_the_engine_on_real_speech(tmp_path: Path) -> None:
    blobs = Blobs(f"file://{tmp_path}")
    whisper = WhisperSettings(model_path=TINY_WHISPER, cpu_threads=1)
    async with open_stage(AsrSettings(engine="whisper", whisper=whisper, slots=2), blobs) as stage:
        finding = await speed(stage, 2, blobs)
    assert finding.health is Health.OK
    assert finding.detail.startswith("real-time factor ")
    assert "with recordings 2 at once: " in finding.detail


def test_the_speech_is_loud_enough_and_as_long_as_said() -> None:
    with wave.open(io.BytesIO(read_speech())) as file:
        assert file.getparams()[:3] == (1, 2, 16_000)
        assert file.getnframes() == round(16_000 * MEASURED_SECONDS)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    for second in range(0, int(MEASURED_SECONDS) - 2, 2):
        assert np.abs(samples[16_000 * second : 16_000 * (second + 2)]).max() > 1000


@pytest.mark.parametrize(
    ("factor", "slots", "said"),
    [
        (0.1, 2, "0.1 with recordings 2 at once: 10.0 hours of audio an hour, or 10 streams"),
        (0.8, 1, "0.8 with recordings one after another: 1.2 hours of audio an hour, or 1 stream "),
        (2, 1, "2 with recordings one after another: 30 minutes of audio an hour, slower than"),
    ],
)
def test_what_a_factor_is_worth(factor: float, slots: int, said: str) -> None:
    assert capacity(factor, slots).startswith(f"real-time factor {said}")
