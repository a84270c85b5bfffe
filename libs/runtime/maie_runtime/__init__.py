"""The parts of every maie process: stages, transports, errors, settings, blobs, shutdown."""
