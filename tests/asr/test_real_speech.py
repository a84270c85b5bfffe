"""A real person, read by the real models that set-up fetches."""

from __future__ import annotations

import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.stage import open_stage
from maie_core.models import model_store
from maie_core.settings import MeshSettings
from maie_runtime.blobs import Blobs
from tests.asr.recordings import ROOT, read_audio, wav, words_of
from tests.asr.running import text_of, transcribe

pytestmark = pytest.mark.unit

READING = ROOT / "samples" / "reading.flac"
SAID = words_of((ROOT / "samples" / "reading.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", [pytest.param("whisper-base", marks=pytest.mark.slow), "whisper-tiny.en"]
)
async def test_a_person_is_read_word_for_word(blobs: Blobs, name: str) -> None:
    # Where the model is not there, the service's own error says what fetches it; `make test` does.
    model = model_store(MeshSettings().models_dir) / name
    settings = AsrSettings(whisper=WhisperSettings(model_path=model, cpu_threads=1))
    request = asr.TranscribeRequest(audio_content=wav(read_audio(READING)))
    async with open_stage(settings, blobs) as stage:
        transcript = await transcribe(stage, request, blobs)
    assert words_of(text_of(transcript)) == SAID
    assert transcript.language_code == "en"
    assert not transcript.unread
