"""A backup whose disk is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.disk import no_small_disk, small_disk
from tests.gateway.backup.places import FEATURES, Places, completed, only_files, recording

pytestmark = [
    pytest.mark.mesh,
    only_files,
    pytest.mark.skipif(bool(no_small_disk()), reason=str(no_small_disk())),
]

# Room for the folders and some of the streams, and for all but the last files.
LITTLE, SOME = 8 * 1024, 64 * 1024


@pytest.mark.parametrize("room", [LITTLE, SOME])
async def test_a_backup_without_room_says_so_and_is_not_whole(
    places: Places, tmp_path: Path, room: int
) -> None:
    async with places.mesh.running() as client:
        await completed(client, (await client.create_job(recording(), features=FEATURES)).job_id)
    with small_disk(tmp_path / "disk") as disk:
        reserved = disk.folder / "reserved"
        reserved.write_bytes(bytes(room))
        await disk.fill()
        reserved.unlink()
        places.folder = disk.folder / "backup"
        ended = await places.backup()
        assert ended.code == 1
        assert "No space left on device" in ended.errors
        error = ended.errors.splitlines()[-1]
        assert error.startswith(f"error: The disk of {places.folder} is full")
        assert "Traceback" not in ended.errors
        disk.free()
        refused = await places.restore()
        assert (refused.code, "holds no whole backup" in refused.errors) == (1, True)
