"""How a text was read and how good the sound is, as files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape

import pytest
from werkzeug.http import parse_options_header

from maie.job.v1 import job_pb2 as job
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_formats.quality.writers import QUALITY_WRITERS
from maie_formats.readings.report import ReadingReport
from maie_formats.readings.writers import READING_WRITERS
from maie_runtime.worker.stage import StageContext
from maie_web.downloads.media_types import REPORTS
from tests.empty_stages import Gate
from tests.formats import readings
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web
from tests.web.findings import find_something

pytestmark = pytest.mark.mesh

NAME = '<script>alert(1)</script> "x".wav'
PLACES = [("reading", each) for each in READING_WRITERS] + [
    ("quality", each) for each in QUALITY_WRITERS
]


async def _recording() -> AsyncIterator[bytes]:
    yield b"sound"


async def _finished(web: Web, *features: str, **options: str) -> job.Job:
    made = await web.grpc.create_job(
        _recording(),
        features=features,
        display_name=NAME,
        **options,  # type: ignore[arg-type]
    )
    async for _ in web.grpc.watch_job(made.job_id):
        pass
    return await web.grpc.get_job(made.job_id)


def _expected(done: job.Job, feature: str, format_: str) -> str:
    if feature == "quality":
        return QUALITY_WRITERS[format_](done, NAME)
    length = done.metrics.input_duration.ToTimedelta().total_seconds()
    made = ReadingReport(reading=done.results.reading, name=NAME, seconds=length)
    return READING_WRITERS[format_](made)


async def test_each_report_is_a_file_to_be_kept(web: Web, empty_mesh: EmptyMesh) -> None:
    find_something(empty_mesh.stages)
    done = await _finished(web, "reading", "quality", reading_text=readings.TEXT)
    for feature, format_ in PLACES:
        place = f"/v1/jobs/{done.job_id}/{feature}/{format_}"
        got, head = await web.http.get(place), await web.http.head(place)
        assert (got.status_code, got.text) == (200, _expected(done, feature, format_))
        assert got.headers["content-type"] == REPORTS[format_]
        kind, options = parse_options_header(got.headers["content-disposition"])
        assert kind == "attachment"
        assert options["filename"].endswith(f".{feature}.{format_}")
        assert got.headers["cache-control"] == "private, no-cache"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-length", "content-type", "etag", "content-security-policy"):
            assert head.headers[name] == got.headers[name]
        known = await web.http.get(place, headers={"if-none-match": got.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")


async def test_pages_show_names_as_text_and_run_nothing_here(
    web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages)
    done = await _finished(web, "reading", "quality", reading_text=readings.TEXT)
    for feature in ("reading", "quality"):
        got = await web.http.get(f"/v1/jobs/{done.job_id}/{feature}/html")
        assert "<script>alert" not in got.text
        assert escape(NAME) in got.text
        policy = got.headers["content-security-policy"]
        assert "sandbox;" in policy
        assert "allow-" not in policy
        assert "script-src" not in policy


async def test_the_text_that_was_to_be_read_is_not_given(web: Web, empty_mesh: EmptyMesh) -> None:
    find_something(empty_mesh.stages)
    done = await _finished(web, "reading", reading_text=readings.TEXT)
    for format_ in READING_WRITERS:
        got = await web.http.get(f"/v1/jobs/{done.job_id}/reading/{format_}")
        # The punctuation between words is in the text alone.
        assert ", he said." not in got.text


@pytest.fixture
def empty_mesh(empty_mesh: EmptyMesh) -> EmptyMesh:
    """A mesh whose jobs have what they ask for alone."""
    empty_mesh.gateway_options["measure_quality"] = False
    return empty_mesh


async def test_what_was_not_asked_for_is_missing(web: Web) -> None:
    done = await _finished(web, "raw_transcript")
    for feature in ("reading", "quality"):
        got = await web.http.get(f"/v1/jobs/{done.job_id}/{feature}/json")
        assert (got.status_code, got.json()["reason"]) == (409, "RESULTS_MISSING")
        assert f"the feature {feature}" in got.json()["detail"]
    for unknown in ("reading/csv", "quality/md", "reading/textgrid"):
        assert (await web.http.get(f"/v1/jobs/{done.job_id}/{unknown}")).status_code == 400
    other = "/v1/jobs/01a23293-1dba-7525-bbae-5b05bc86daf6/quality/json"
    assert (await web.http.get(other)).status_code == 404


async def test_a_failed_job_says_why_there_is_none(web: Web, empty_mesh: EmptyMesh) -> None:
    async def fails(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_EMPTY, "There is no sound.")

    empty_mesh.stages["preprocess"].hook = fails
    done = await _finished(web, "quality")
    got = await web.http.get(f"/v1/jobs/{done.job_id}/quality/html")
    assert (got.status_code, got.json()["reason"]) == (409, "RESULTS_MISSING")
    assert "There is no sound." in got.json()["detail"]


async def test_a_job_that_runs_has_none_yet(web: Web, empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages["quality"].hook = gate = Gate()
    made = await web.grpc.create_job(_recording(), features=("quality",))
    await gate.reached.wait()
    got = await web.http.get(f"/v1/jobs/{made.job_id}/quality/csv")
    gate.opened.set()
    assert (got.status_code, got.json()["reason"]) == (409, "RESULTS_NOT_READY")


async def test_a_share_shows_neither(web: Web, empty_mesh: EmptyMesh) -> None:
    find_something(empty_mesh.stages)
    done = await _finished(web, "reading", "quality", reading_text=readings.TEXT)
    made = await web.http.post(f"/v1/jobs/{done.job_id}/shares", json={})
    bearer = {"authorization": f"Bearer {made.json()['token']}"}
    for feature in ("reading", "quality"):
        place = f"/v1/jobs/{done.job_id}/{feature}/json"
        got = await web.http.get(place, headers=bearer)
        assert (got.status_code, got.json()["reason"]) == (409, "RESULTS_MISSING")
