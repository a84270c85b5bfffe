"""With a master key, no file shows a word of a live session, and it is resumed all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_runtime.vault.key_file import new_line
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import config, expected, talking
from tests.gateway.live.speech import said, word
from tests.gateway.test_residue import files_with
from tests.gateway.vault.conftest import written

pytestmark = pytest.mark.mesh


async def test_no_file_holds_a_word_of_a_session_and_another_gateway_resumes_it(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    live_mesh.empty.gateway_options["master_key"] = written(tmp_path / "key", new_line())
    wanted = config(display_name="Xylophonia", labels={"case": "Quandary"})
    wanted.keep_audio = True
    # The names of the session and of its track; what is said is too short to be looked for.
    texts = ("Xylophonia", "Quandary", "Zanzibar")
    disk = [live_mesh.empty.nats.store, tmp_path / "blobs"]
    async with live_mesh.replica():
        async with live_mesh.gateway() as address, talking(address) as talk:
            started = await talk.start(wanted)
            await talk.audio("Zanzibar", said([1, 2]) + word(3))
            await talk.next("final", 2)
            assert files_with(disk, texts) == {}
            first = talk.finals()
        async with live_mesh.gateway() as address, client_of(address) as client:
            async with talking(address) as again:
                await again.resume(started)
                assert first == expected("Zanzibar", [1, 2])
                await again.end()
            done = [each async for each in client.watch_job(started.session_id)][-1].finished.job
            assert done.state == job.JOB_STATE_COMPLETE
            assert done.results.raw_transcript == "w1\nw2\nw3"
            await client.save_audio(started.session_id, tmp_path / "kept")
            assert files_with(disk, texts) == {}
            await client.delete_job(started.session_id)
        assert files_with(disk, texts) == {}
