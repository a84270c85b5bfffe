"""Recognition while somebody speaks: tracks, their utterances, and who is read next."""
