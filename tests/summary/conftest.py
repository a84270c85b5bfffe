"""What tests of the summary stage may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    blobs = Blobs((tmp_path / "blobs").as_uri())
    return StageContext(job_id="job", unit="direct", attempt=1, blobs=blobs, folder="jobs/test")
