"""An ASR service without a model, by its file, so that it runs on the source of either release.

Live words are tones, which it reads exactly; of a recording it says how long it is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from maie_asr.engine import SAMPLE_RATE, RecognizedSegment, RecognizeOptions, Speech
from maie_asr.settings import AsrSettings
from maie_core.settings import load_settings
from maie_runtime.worker.server import run_service
from tests.live_engine import InstantEngine, instant_stage


class LengthEngine(InstantEngine):
    """Reads tones in live speech, and the length of a recording."""

    async def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        """Says the length of a chunk, as one segment."""
        count = len(speech.samples)
        yield RecognizedSegment(
            text=f"{count} samples", start=0.0, end=count / SAMPLE_RATE, language="en"
        )


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(AsrSettings)
    run_service("asr", settings, lambda _: instant_stage(settings, LengthEngine()))


if __name__ == "__main__":
    main()
