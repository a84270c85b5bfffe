"""Fuzzes one target, guided by which lines of our code an input reaches (atheris, libFuzzer).

Usage: python -m tests.fuzz.guided TARGET FOLDER SECONDS

libFuzzer ends the process with the first input that raises, kills it or hangs, and leaves it
in the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["maie_audio", "maie_preprocess", "maie_templates", "maie_gateway", "maie_core"]
):
    from tests.fuzz.targets import TARGETS

MAX_BYTES = 65_536
HANG_SECONDS = 30
MAX_MEMORY_MIB = 4096


def main() -> None:
    """Fuzzes until the time is over."""
    name, folder, seconds = sys.argv[1:]
    target, corpus = TARGETS[name], Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = (
        f"-max_total_time={seconds}",
        f"-max_len={MAX_BYTES}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MAX_MEMORY_MIB}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
    )
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.run)
    atheris.Fuzz()


main()
