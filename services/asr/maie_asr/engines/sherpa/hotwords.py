"""Hotwords as the library takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maie_asr.engines.sherpa.vocabulary import Vocabulary

# The library gives ":", "#", "@" and "/" meanings of their own, and ends on some of them.
_NOT_SPOKEN = re.compile(r"[^\w'\- ]|_")
SEPARATOR = "/"


def clean(hotwords: Sequence[str]) -> list[str]:
    """Leaves what can be spoken of each hotword, and leaves out those that are then empty."""
    spoken = (" ".join(_NOT_SPOKEN.sub(" ", each).split()) for each in hotwords)
    return [each for each in spoken if each]


def joined(hotwords: Sequence[str], vocabulary: Vocabulary) -> str:
    """Hotwords for one stream of a transducer, in the letters that its vocabulary has."""
    text = SEPARATOR.join(clean(hotwords))
    if vocabulary.upper_only:
        return text.upper()
    return text.lower() if vocabulary.lower_only else text
