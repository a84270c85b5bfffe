"""CMU PocketSphinx as an aligner: words, then phones, of English, without GPU or download.

Imports nothing, for a quick start of the processes, which import `process` alone.
"""
