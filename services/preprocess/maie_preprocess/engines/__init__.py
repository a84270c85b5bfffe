"""VAD engines; each file is the only one that imports its library."""
