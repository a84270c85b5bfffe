"""Which words of a transcript are whose, from who speaks when."""

from maie_core.speaking.segments import split
from maie_core.speaking.turns import NEAR_SECONDS, Turns
from maie_core.speaking.words import label_segment

__all__ = ["NEAR_SECONDS", "Turns", "label_segment", "split"]
