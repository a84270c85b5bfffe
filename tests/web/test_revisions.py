"""Transcripts are corrected over HTTP, and files have the correction."""

from __future__ import annotations

from typing import Any

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from tests.web.conftest import Web, recording

pytestmark = pytest.mark.mesh

FIRST = "c0000-s0000"


async def done(client: Client) -> job.Job:
    """A job whose transcript is "Chunk 0."."""
    features = ["raw_transcript", "clean_transcript"]
    made = await client.create_job(recording(), features=features)
    async for _ in client.watch_job(made.job_id):
        pass
    return made


def says(*texts: str, base: int = 0, name: str = FIRST, **times: str) -> dict[str, Any]:
    """The body of a save: the first segment corrected to these texts."""
    segments = [{"text": text, **times} for text in texts]
    return {"base_revision": base, "edits": [{"segment_ids": [name], "segments": segments}]}


async def test_a_correction_is_saved_and_read(shared_web: Web) -> None:
    path = f"/v1/jobs/{(await done(shared_web.grpc)).job_id}"
    saved = await shared_web.http.post(f"{path}/revisions", json=says("Chapter", "zero."))
    assert saved.status_code == 201
    assert (saved.json()["revision"], saved.json()["changed_segments"]) == (1, 2)
    listed = (await shared_web.http.get(f"{path}/revisions")).json()
    assert listed == {"revisions": [saved.json()]}
    found = (await shared_web.http.get(f"{path}/revisions/1")).json()
    assert [each["text"] for each in found["segments"]] == ["Chapter", "zero."]
    shown = (await shared_web.http.get(path)).json()
    assert (shown["newest_revision"], shown["results"]["revision"]) == (1, 1)
    original = (await shared_web.http.get(path, params={"revision": 0})).json()
    assert original["results"]["clean_transcript"] == "Chunk 0."


async def test_files_have_the_newest_revision_or_the_one_that_is_asked_for(shared_web: Web) -> None:
    path = f"/v1/jobs/{(await done(shared_web.grpc)).job_id}"
    await shared_web.http.post(f"{path}/revisions", json=says("Chapter 0."))
    for name in ("txt", "md", "srt", "vtt", "tsv", "json"):
        newest = (await shared_web.http.get(f"{path}/results/{name}")).text
        assert "Chapter 0." in newest, name
        original = (await shared_web.http.get(f"{path}/results/{name}?revision=0")).text
        assert "Chapter" not in original, name
        assert "Chunk 0." in original, name
    exported = (await shared_web.http.get(f"{path}/results/json")).json()
    assert exported["results"]["revision"] == 1
    assert (await shared_web.http.get(f"{path}/results/txt?revision=2")).status_code == 404


async def test_going_back_is_a_revision_of_its_own(shared_web: Web) -> None:
    path = f"/v1/jobs/{(await done(shared_web.grpc)).job_id}"
    await shared_web.http.post(f"{path}/revisions", json=says("Chapter 0."))
    back = await shared_web.http.post(f"{path}/revisions/0/revert", json={"base_revision": 1})
    assert back.status_code == 201
    assert (back.json()["revision"], back.json()["reverted_to"]) == (2, 0)
    assert "Chunk 0." in (await shared_web.http.get(f"{path}/results/txt")).text


async def test_who_was_slower_is_refused(shared_web: Web) -> None:
    path = f"/v1/jobs/{(await done(shared_web.grpc)).job_id}"
    await shared_web.http.post(f"{path}/revisions", json=says("Chapter 0."))
    refused = await shared_web.http.post(f"{path}/revisions", json=says("Part 0."))
    assert (refused.status_code, refused.json()["reason"]) == (409, "REVISION_OUTDATED")
    assert "newest revision is 1" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (says("text", name="gone"), "EDIT_INVALID"),
        (says("text", start_offset="soon"), "EDIT_INVALID"),
        (says("text", start_offset="9000s"), "EDIT_INVALID"),
        (says("text", base=-1), "FIELD_INVALID"),
        (says("text", base=2**40), "FIELD_INVALID"),
    ],
    ids=["segment", "time", "place", "negative", "large"],
)
async def test_what_cannot_be_is_refused(
    shared_web: Web, body: dict[str, Any], reason: str
) -> None:
    path = f"/v1/jobs/{(await done(shared_web.grpc)).job_id}"
    refused = await shared_web.http.post(f"{path}/revisions", json=body)
    assert (refused.status_code, refused.json()["reason"]) == (400, reason)


async def test_a_revision_is_summarised_again_with_a_template(shared_web: Web) -> None:
    path = f"/v1/jobs/{(await done(shared_web.grpc)).job_id}"
    await shared_web.http.post(f"{path}/revisions", json=says("Chapter 0."))
    begun = await shared_web.http.post(
        f"{path}/summaries", json={"template_id": "meeting_notes_v1"}
    )
    assert (begun.status_code, begun.json()["origin"]["revision"]) == (202, 1)
    async for _ in shared_web.grpc.watch_job(begun.json()["job_id"]):
        pass
    again = (await shared_web.http.get(f"/v1/jobs/{begun.json()['job_id']}")).json()
    assert again["results"]["clean_transcript"] == "Chapter 0."
    assert again["config"]["template_id"] == "meeting_notes_v1"
    # So short a text is summarised in one piece.
    assert again["results"]["summary"]["content"] == {"parts": 0}
    assert (await shared_web.http.get(path)).json()["summary_job_ids"] == [again["job_id"]]
    nowhere = await shared_web.http.post(f"{path}/summaries", json={"revision": -1})
    assert (nowhere.status_code, nowhere.json()["reason"]) == (400, "FIELD_INVALID")
