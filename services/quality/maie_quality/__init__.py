"""The quality stage: how good the sound of a recording is."""
