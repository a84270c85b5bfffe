"""The local mesh of `maie up` and `maie demo`."""
