"""Who speaks on a track that several people share, one diarization replica after another."""
