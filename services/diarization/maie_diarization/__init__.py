"""The diarization stage: who spoke when."""
