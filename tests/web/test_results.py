"""Results as files: each format, with the right name, type and version."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_client.template_of_job import template_of
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_formats.as_json import to_dict
from maie_formats.clean import plain
from maie_formats.writers import DOCUMENT_FORMATS, WRITERS, Finished, fitting_formats, written
from maie_runtime.worker.stage import StageContext
from maie_web.downloads.attachments import disposition, result_name
from maie_web.downloads.media_types import RESULTS
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web

NAME = 'Küche – 会议 "x".mp3'
ALL = ("raw_transcript", "clean_transcript", "summary")
TEXT_FORMATS = fitting_formats(transcribed=True, speakers=False)


async def _recording() -> AsyncIterator[bytes]:
    yield b"sound"


async def _finished(web: Web, *features: str, **options: object) -> job.Job:
    if "summary" in features:
        options["template_id"] = "meeting_notes_v1"
    made = await web.grpc.create_job(_recording(), features=features, filename=NAME, **options)  # type: ignore[arg-type]
    async for _ in web.grpc.watch_job(made.job_id):
        pass
    return await web.grpc.get_job(made.job_id)


@pytest.mark.mesh
@pytest.mark.parametrize("format_", [*TEXT_FORMATS, *DOCUMENT_FORMATS])
async def test_each_format_is_what_the_command_line_writes(shared_web: Web, format_: str) -> None:
    done = await _finished(shared_web, *ALL)
    place = f"/v1/jobs/{done.job_id}/results/{format_}"
    got, head = await shared_web.http.get(place), await shared_web.http.head(place)
    template = await template_of(shared_web.grpc, done)
    finished = Finished(job=done, name=done.display_name, template=template)
    assert (got.status_code, got.content) == (200, written(finished, format_))
    assert got.headers["content-type"] == RESULTS[format_]
    kind, options = parse_options_header(got.headers["content-disposition"])
    assert (kind, options["filename"]) == ("attachment", f'Küche – 会议 "x".{format_}')
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "content-disposition"):
        assert head.headers[name] == got.headers[name]
    known = await shared_web.http.get(place, headers={"if-none-match": got.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    await shared_web.grpc.update_job(done.job_id, display_name="Other")
    if format_ in ("json", "md", "docx", "pdf"):
        changed = await shared_web.http.get(place, headers={"if-none-match": got.headers["etag"]})
        assert changed.status_code == 200


@pytest.mark.mesh
async def test_a_job_that_runs_has_no_results_yet(web: Web, empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages["asr"].hook = gate = Gate()
    made = await web.grpc.create_job(_recording(), features=("raw_transcript",))
    await gate.reached.wait()
    got = await web.http.get(f"/v1/jobs/{made.job_id}/results/txt")
    gate.opened.set()
    assert (got.status_code, got.json()["reason"]) == (409, "RESULTS_NOT_READY")


async def _fails(_: StageContext) -> None:
    raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_EMPTY, "There is no sound.")


@pytest.mark.mesh
async def test_a_failed_job_says_why_and_gives_what_it_has(web: Web, empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages["preprocess"].hook = _fails
    done = await _finished(web, "raw_transcript")
    place = f"/v1/jobs/{done.job_id}/results"
    got = await web.http.get(f"{place}/txt")
    assert (got.status_code, got.json()["reason"]) == (409, "RESULTS_MISSING")
    assert "There is no sound." in got.json()["detail"]
    assert json.loads((await web.http.get(f"{place}/json")).text) == to_dict(done)


@pytest.mark.mesh
async def test_what_was_not_asked_for_is_missing(web: Web) -> None:
    done = await _finished(web, "summary")
    place = f"/v1/jobs/{done.job_id}/results"
    for format_ in ("srt", "rttm"):
        got = await web.http.get(f"{place}/{format_}")
        assert (got.status_code, got.json()["reason"]) == (409, "RESULTS_MISSING")
    assert (await web.http.get(f"{place}/md")).status_code == 200
    assert (await web.http.get(f"{place}/exe")).status_code == 400


@pytest.mark.unit
@given(st.one_of(st.text(max_size=100), st.sampled_from((NAME, "../../etc/passwd", 'a";b', "%41"))))
def test_a_name_of_any_alphabet_is_read_back(name: str) -> None:
    value = disposition("attachment", name)
    assert value.isascii()
    assert value.isprintable()
    _, options = parse_options_header(value)
    shown = options["filename"]
    assert not {"/", "\\"} & set(shown)
    assert shown == (plain(name).replace("/", "_").replace("\\", "_").strip(". ") or "recording")


@pytest.mark.unit
def test_old_clients_get_a_name_in_ascii() -> None:
    assert disposition("attachment", NAME) == (
        'attachment; filename="Kuche _ __ _x_.mp3"; '
        "filename*=UTF-8''K%C3%BCche%20%E2%80%93%20%E4%BC%9A%E8%AE%AE%20%22x%22.mp3"
    )


@pytest.mark.unit
@pytest.mark.parametrize(
    ("filename", "display_name", "expected"),
    [
        ("talk.wav", "talk.wav", "talk.txt"),
        ("talk.wav", "Release 1.5", "Release 1.5.txt"),
        ("1.5 with Bob and all", "1.5 with Bob and all", "1.5 with Bob and all.txt"),
        ("", "", "id.txt"),
    ],
)
def test_a_result_is_called_like_its_job(filename: str, display_name: str, expected: str) -> None:
    config = job.JobConfig(filename=filename)
    of = job.Job(job_id="id", config=config, display_name=display_name)
    assert result_name(of, "txt") == expected


@pytest.mark.unit
def test_a_table_has_a_row_for_each_segment_and_no_formulas() -> None:
    texts = ("Hello\tthere\nyou", "=1+1", '@SUM("x")', "-- no")
    results = job.JobResults(raw_transcript="x")
    for number, text in enumerate(texts):
        segment = results.segments.add(segment_id=str(number), text=text, channel=number % 2)
        segment.start_offset.FromMilliseconds(number * 1500)
        segment.end_offset.FromMilliseconds(number * 1500 + 1001)
    assert isinstance(results.segments[0], common.Segment)
    text = WRITERS["tsv"](Finished(job=job.Job(results=results), name="talk"))
    assert text == (
        "start\tend\ttext\tvoice\n"
        "0\t1001\tHello there you\t\n"
        "1500\t2501\t'=1+1\tChannel 1\n"
        '3000\t4001\t\'@SUM("x")\t\n'
        "4500\t5501\t'-- no\tChannel 1\n"
    )
