"""Converts a published ChunkFormer checkpoint for the engine: safetensors, with a manifest.

    python -m maie_asr.engines.chunkformer.convert FROM TO

FROM is a checkpoint of the hub: config.yaml, vocab.txt, global_cmvn and the weights in a pickle,
which is loaded with torch's `weights_only` and so cannot run code.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from maie_asr.engines.chunkformer.model import OPTIONAL_FILES, REQUIRED_FILES, WEIGHTS
from maie_core.models import Manifest, file_sha256, write_manifest

CHECKPOINTS = ("pytorch_model.bin", "pytorch_model.pt", "pytorch_model.ckpt")


def convert(source: Path, target: Path) -> None:
    """Writes the converted model.

    Raises:
        FileNotFoundError: The source has no checkpoint.
        FileExistsError: The target exists.
    """
    import torch
    from safetensors.torch import save_file

    checkpoint = next((source / name for name in CHECKPOINTS if (source / name).is_file()), None)
    if checkpoint is None:
        raise FileNotFoundError(f"{source} has none of {', '.join(CHECKPOINTS)}")
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)
    target.mkdir(parents=True)
    # Tensors that share memory in the pickle are copied apart.
    save_file({name: each.clone().contiguous() for name, each in weights.items()}, target / WEIGHTS)
    for name in (*REQUIRED_FILES, *OPTIONAL_FILES):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    hashes = {path.name: file_sha256(path) for path in target.iterdir()}
    write_manifest(target, Manifest(model=target.resolve().name, files=hashes))


def main() -> None:
    """Converts from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("source", type=Path, metavar="FROM")
    parser.add_argument("target", type=Path, metavar="TO")
    arguments = parser.parse_args()
    convert(arguments.source, arguments.target)


if __name__ == "__main__":
    main()
