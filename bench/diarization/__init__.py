"""Who spoke when: recordings with known speakers and turns, scores, and other products."""
