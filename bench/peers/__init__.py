"""Other products for live speech, to measure them beside maie."""
