"""What a person should know of results is in everything that they read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.report import print_report
from maie_core.reasons import WarningReason
from maie_core.result_warnings import result_warning
from maie_formats.markdown import markdown
from maie_formats.warnings import sentence
from maie_formats.writers import WRITERS, Finished
from tests.cli.command import maie_at
from tests.client.fake_gateway import JOB_ID, FakeJobs, finished_job, script, serving

pytestmark = pytest.mark.unit

GAP = "[00:05-00:12] The recording has a gap here."
CUT = "The file ends before it should."


def span(start: float, end: float) -> common.TimeRange:
    made = common.TimeRange()
    made.start_offset.FromMilliseconds(round(start * 1000))
    made.end_offset.FromMilliseconds(round(end * 1000))
    return made


def warned_job() -> job.Job:
    done = finished_job()
    results = done.results
    results.warnings.append(
        result_warning(WarningReason.GAP, "The recording has a gap here.", span(5, 12.4))
    )
    results.warnings.append(result_warning(WarningReason.TRUNCATED, CUT))
    results.unread.append(span(4.2, 4.9))
    results.suspect_texts.add(
        text="Thanks for watching!",
        range=span(9, 10),
        reason=common.SUSPECT_REASON_NON_SPEECH,
        removed=True,
    )
    results.suspect_texts.add(text="Kept.", range=span(11, 12), removed=False)
    return done


def events() -> list[job.JobEvent]:
    made = script(warned_job())
    made[-1:-1] = [job.JobEvent(warning=each) for each in warned_job().results.warnings]
    return made


async def maie(*arguments: object) -> tuple[int, str, list[str]]:
    async with serving(FakeJobs(events())) as address:
        code, output, errors = await maie_at(address, *arguments)
    return code, output, errors.splitlines()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.wav"
    path.write_bytes(b"sound")
    return path


def test_a_document_begins_with_them_and_says_what_is_missing_where() -> None:
    document = markdown(warned_job().results, "talk")
    shown = [
        token.content for token in MarkdownIt("commonmark").parse(document) if token.content.strip()
    ]
    plain = [text.replace("\\", "") for text in shown]
    assert plain == [
        "talk",
        "Warnings",
        GAP,
        CUT,
        "Transcript",
        "Hello. Goodbye.",
        "*[00:04] Somebody speaks here, and no text could be made of it.*",
        "Left out of the transcript",
        "[00:09-00:10] “Thanks for watching!” (nobody seems to speak there)",
    ]


def test_plain_text_and_subtitles_hold_nothing_but_what_was_said() -> None:
    for name in ("txt", "srt", "vtt", "tsv"):
        text = WRITERS[name](Finished(job=warned_job(), name="talk"))
        assert "gap" not in text
        assert "Thanks" not in text


def test_json_has_them_with_reason_range_and_sentence() -> None:
    value = json.loads(WRITERS["json"](Finished(job=warned_job(), name="talk")))["results"]
    assert value["warnings"][0] == {
        "reason": "GAP",
        "message": "The recording has a gap here.",
        "range": {"start_offset": "5s", "end_offset": "12.400s"},
        "metadata": {},
    }
    assert value["unread"] == [{"start_offset": "4.200s", "end_offset": "4.900s"}]
    assert value["suspect_texts"][0]["text"] == "Thanks for watching!"


def test_a_report_shows_them() -> None:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as captured:
        print_report(console, Finished(job=warned_job(), name="talk"))
    assert GAP in captured.get()


@pytest.mark.parametrize("options", [("-q",), ("-q", "--format", "txt"), ("-q", "--json")])
async def test_the_command_says_them_at_its_end(recording: Path, options: tuple[str, ...]) -> None:
    code, _, errors = await maie("process", recording, *options)
    assert (code, errors) == (0, [f"warning: {GAP}", f"warning: {CUT}"])


async def test_in_a_log_they_are_said_once_as_they_come(recording: Path) -> None:
    code, _, errors = await maie("process", recording)
    assert code == 0
    assert [line for line in errors if "warning" in line] == [
        f"{recording}: warning: {GAP}",
        f"{recording}: warning: {CUT}",
    ]


async def test_of_several_recordings_each_is_named(recording: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(b"sound")
    _, _, errors = await maie("process", "-q", recording, other, "--output", tmp_path / "out")
    assert errors == [
        f"warning: {name}: {each}" for name in ("talk.wav", "other.wav") for each in (GAP, CUT)
    ]


async def test_watching_a_job_says_them() -> None:
    _, output, errors = await maie("jobs", "watch", JOB_ID)
    assert [line for line in errors if "warning" in line] == [
        f"{JOB_ID}: warning: {GAP}",
        f"{JOB_ID}: warning: {CUT}",
    ]
    assert "## Warnings" in output


def test_a_warning_cannot_write_on_the_terminal() -> None:
    evil = result_warning(WarningReason.DAMAGED, "a\x1b[2J\nb", span(3700, 3700.2))
    assert sentence(evil) == "[1:01:40] a[2J b"
