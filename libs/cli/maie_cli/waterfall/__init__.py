"""The waterfall of a job: where its time went, in a terminal."""
