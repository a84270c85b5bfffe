"""The sentences that the tiny Whisper knows, and the scripts that train it on flite's voices.

What tests use needs neither torch nor flite: `SENTENCES` and where the model lies.
"""

from pathlib import Path

from tests.models.voices.sentences import SENTENCES

MODEL = Path(__file__).parents[1] / "tiny-whisper"

__all__ = ["MODEL", "SENTENCES"]
