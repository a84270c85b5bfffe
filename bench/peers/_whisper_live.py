"""Serves whisper-live: `python _whisper_live.py PORT MODEL`, in the environment of the products.

The package has no command of its own. The options are the defaults of its `run_server.py`, with one
model for all clients.
"""

from __future__ import annotations

import sys

from whisper_live.server import TranscriptionServer


def main() -> None:
    """Serves until it is stopped."""
    TranscriptionServer().run(
        "127.0.0.1",
        port=int(sys.argv[1]),
        backend="faster_whisper",
        faster_whisper_custom_model_path=sys.argv[2],
        single_model=True,
        max_clients=100,
        max_connection_time=3600,
    )


if __name__ == "__main__":
    main()
