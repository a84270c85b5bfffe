"""A server of models, and what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.alignment.ctc_model import write_model
from tests.alignment.kserve_server import KserveServer
from tests.certificates import TestCa


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tones")


@pytest.fixture
def server(folder: Path) -> KserveServer:
    return KserveServer(folder=folder)


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    return TestCa(folder=tmp_path / "ca")
