"""CMU PocketSphinx: a small English recogniser that needs no GPU and no download.

Imports nothing, for a quick start of the decoder processes, which import `process` alone.
"""
