"""Which tests share a process where several run at once: a plugin of pytest-xdist."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from maie_runtime.worker.cores import usable_cores

# Around a mesh that all tests of the folder share, so that it is started once.
SHARED_MESHES = ("tests/mesh/shared/", "tests/attacks/")


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: about half of a test's time is waiting."""
    return 2 * usable_cores()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Keeps the tests of a file together, so that what they share is set up once."""
    return FilesTogether(config, log)


class FilesTogether(LoadScopeScheduling):
    """Runs a file's tests in one process, one after another, and so those of the shared mesh."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # Files begin in the order in which they were collected, not those of most tests first.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return next((shared for shared in SHARED_MESHES if path.startswith(shared)), path)
