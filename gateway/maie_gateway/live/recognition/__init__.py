"""The ASR replicas that recognise a track, one after another as they fail."""
