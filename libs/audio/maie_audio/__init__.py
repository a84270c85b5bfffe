"""Compressed live audio, decoded as it comes in confined processes.

`decoders.Decoders` is the pool of processes of a service; its `open` begins a track.
The modules `child`, `track`, `sound`, `clock`, `resampler`, `sandbox` and the readers of
formats run in those processes, and import neither protobuf nor numpy. `fork_server` starts such
processes, those of preprocess too; `forking` is what the server itself runs.
"""
