"""The table of jobs that are watched together."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.board import FRAME_LINES, Board, Row

pytestmark = pytest.mark.unit

START = 1_760_000_000


def job_id(number: int) -> str:
    return f"0197c1a2-0000-7000-8000-{number:012d}"


def shown_job(number: int, state: job.JobState = job.JOB_STATE_PENDING, ended: int = 0) -> job.Job:
    made = job.Job(job_id=job_id(number), state=state, display_name=f"Meeting {number}")
    made.create_time.FromSeconds(START + number)
    made.update_time.FromSeconds(START + 1000)
    made.labels["team"] = "search"
    if ended:
        made.finish_time.FromSeconds(START + number + ended)
    return made


def board_of(*jobs: job.Job) -> Board:
    board = Board()
    for made in jobs:
        board.add(Row.of(made))
    return board


def drawn(board: Board, width: int = 120, height: int = 24) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    with console.capture() as captured:
        console.print(board, no_wrap=True)
    return [line.rstrip() for line in captured.get().splitlines()]


def event(seconds: int, **what: Any) -> job.JobEvent:
    told = job.JobEvent(sequence=1, **what)
    told.event_time.FromSeconds(START + seconds)
    return told


def changed(state: job.JobState) -> dict[str, job.JobStateChanged]:
    return {"state_changed": job.JobStateChanged(state=state)}


def test_a_row_tells_the_stage_that_is_behind_the_time_and_the_names() -> None:
    board = board_of(shown_job(1, job.JOB_STATE_PROCESSING_ASR, ended=75))
    (row,) = board.rows
    for stage, fraction, ended in ((common.STAGE_PREPROCESS, 1, 1), (common.STAGE_ASR, 0.25, 2)):
        progress = job.StageProgress(
            stage=stage, fraction=fraction, ended_units=ended, total_units=8
        )
        row.apply(job.JobEvent(stage_progress=progress))
    (line,) = [line for line in drawn(board) if job_id(1) in line]
    for part in ("PROCESSING_ASR", "asr 25% 2/8", "1:15", "Meeting 1", "team=search"):
        assert part in line


def test_an_id_is_whole_and_progress_is_there_on_a_narrow_terminal() -> None:
    board = board_of(shown_job(1, job.JOB_STATE_PROCESSING_ASR, ended=60), shown_job(2))
    board.rows[0].apply(
        job.JobEvent(stage_progress=job.StageProgress(stage=common.STAGE_ASR, fraction=0.5))
    )
    lines = drawn(board, width=80)
    assert max(map(len, lines)) <= 80
    assert any(job_id(1) in line and "asr 50%" in line and "Meet" in line for line in lines)
    assert any(job_id(2) in line and "PENDING" in line for line in lines)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_ids_states_and_names_are_whole_at_any_width(width: int) -> None:
    running = shown_job(1, job.JOB_STATE_PROCESSING_LLM)
    done = shown_job(2, job.JOB_STATE_COMPLETE, ended=60)
    done.display_name = "Interview with the head of the archive, part two"
    done.results.warnings.add(message="The recording has a gap here.")
    lines = drawn(board_of(running, done), width=width)
    assert max(map(cell_len, lines)) <= width
    shown = "".join("".join(lines).split())
    for text in (job_id(1), job_id(2), "PROCESSING_LLM", "COMPLETE (1 warning)", "1:00"):
        assert "".join(text.split()) in shown
    for name in ("Meeting 1", done.display_name):
        assert "".join(name.split()) in shown


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_narrow_board_fits_its_height(width: int) -> None:
    board = board_of(*(shown_job(number) for number in range(50)))
    lines = drawn(board, width=width, height=24)
    assert len(lines) < 24
    assert "50 PENDING" in " ".join(" ".join(lines).split())
    assert "not shown" in " ".join(" ".join(lines).split())


def test_hundreds_of_jobs_fit_a_terminal_and_are_counted() -> None:
    complete = [shown_job(number, job.JOB_STATE_COMPLETE, ended=number) for number in range(300)]
    running = [shown_job(number, job.JOB_STATE_PROCESSING_ASR) for number in range(300, 304)]
    waiting = [shown_job(number) for number in range(304, 400)]
    board = board_of(*waiting, *running, *complete)
    lines = drawn(board, height=20)
    assert len(lines) <= 20
    ids = [line.split()[0] for line in lines if "0197c1a2" in line]
    room = 20 - FRAME_LINES
    # What runs, and what ended last; in the order of acceptance.
    expected = [*range(300 - (room - 4), 300), *range(300, 304)]
    assert ids == [job_id(number) for number in expected]
    assert "96 PENDING, 4 PROCESSING_ASR, 300 COMPLETE; 387 not shown" in lines[-1]


def test_a_replay_does_not_turn_a_row_back() -> None:
    row = Row.of(shown_job(1, job.JOB_STATE_PROCESSING_ASR))
    row.apply(event(1, **changed(job.JOB_STATE_PENDING)))
    assert row.state == job.JOB_STATE_PROCESSING_ASR
    row.apply(event(1001, **changed(job.JOB_STATE_PROCESSING_LLM)))
    assert row.state == job.JOB_STATE_PROCESSING_LLM
    done = shown_job(1, job.JOB_STATE_COMPLETE, ended=1002)
    row.apply(job.JobEvent(finished=job.JobFinished(job=done)))
    assert (row.over, row.seconds) == (True, 1002)


def test_names_cannot_draw_over_the_table() -> None:
    evil = shown_job(1, job.JOB_STATE_COMPLETE, ended=1)
    evil.display_name = "\x1b[2Jevil\nname [red]x"
    assert any("[2Jevil name [red]x" in line for line in drawn(board_of(evil)))


def test_what_keeps_news_away_is_said() -> None:
    board = board_of(shown_job(1))
    board.trouble = "nobody answers"
    assert "nobody answers" in drawn(board)[-1]
