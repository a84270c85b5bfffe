"""The preprocess stage: decode, normalise, measure, find speech, plan the cut."""
