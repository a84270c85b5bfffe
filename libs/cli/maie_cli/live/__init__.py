"""Live speech on the command line: where the audio comes from, and captions."""
