"""What every maie process shares: stages, transports, errors, settings, blobs, shutdown."""
