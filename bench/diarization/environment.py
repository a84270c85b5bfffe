"""The environment of pyannote.metrics, pyroomacoustics and the other products."""

from __future__ import annotations

from bench.meshes import ROOT

PYTHON = ROOT / ".venv-diarization" / "bin" / "python"
