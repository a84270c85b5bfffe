"""Who is who in a recording, from the voices that an engine found in its chunks."""

from maie_diarization.clustering.hints import Hints
from maie_diarization.clustering.identification import Identification, identify
from maie_diarization.clustering.timeline import SpeakerTurn, turns

__all__ = ["Hints", "Identification", "SpeakerTurn", "identify", "turns"]
