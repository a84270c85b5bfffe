"""Who may read the file of the master key."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie_core.errors import StageError
from maie_gateway.vault.master_key import open_master_key
from maie_runtime.vault.key_file import new_line

pytestmark = pytest.mark.unit


# 0440 is how Kubernetes mounts a Secret for a pod whose user is not root (fsGroup).
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
async def test_its_owner_and_group_may(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    path.write_text(new_line())
    path.chmod(mode)
    async with open_master_key(path.as_uri()) as key:
        assert await key.unwrap(await key.wrap(b"ring")) == b"ring"


@pytest.mark.parametrize("mode", [0o444, 0o604, 0o602])
async def test_others_may_not(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    path.write_text(new_line())
    path.chmod(mode)
    with pytest.raises(StageError, match="can be read by every user"):
        async with open_master_key(path.as_uri()):
            pass
