"""The enhancement stage: punctuation, casing and clean-up."""
