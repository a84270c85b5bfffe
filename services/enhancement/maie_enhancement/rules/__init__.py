"""Rules that punctuate English, and other languages by pauses."""

from maie_enhancement.rules.english import rules_sha256
from maie_enhancement.rules.punctuate import Punctuator, Stopped

__all__ = ["Punctuator", "Stopped", "rules_sha256"]
