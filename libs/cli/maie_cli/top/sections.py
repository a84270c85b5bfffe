"""What `maie top` shows of a mesh: its queues, workers, running units and failures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.text import Text

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_cli.names import stage_name
from maie_cli.top.figures import MINUTE, NOTHING, age, rate, share, size
from maie_core.durations import seconds
from maie_formats.clean import plain

# A unit that waits longer is shown to do so.
LONG_WAIT_SECONDS = 60.0
# The narrowest column of a job's id: what tells apart those of one hour, in two lines or three.
ID_COLUMNS = 18

Row: TypeAlias = Sequence[Text]


@dataclass(kw_only=True, frozen=True, slots=True)
class Column:
    """A column of a section.

    Attributes:
        title: Its title.
        rank: The higher, the sooner it is left out where there is no room.
        right: Whether its values are aligned to the right.
        folds: The columns that it needs at least; 0 where its values stay on one line.
    """

    title: str
    rank: int = 0
    right: bool = False
    folds: int = 0


@dataclass(kw_only=True, frozen=True, slots=True)
class Section:
    """A table.

    Attributes:
        columns: Its columns.
        rows: Its rows, those that matter most first.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]


def summary(mesh: catalog.GetMeshResponse) -> list[Text]:
    """The lines above the tables: jobs, live speech, dead letters and throughput."""
    every = [worker for stage in mesh.stages for worker in stage.workers]
    asr = [worker for worker in every if worker.stage == common.STAGE_ASR]
    tracks = sum(worker.live_tracks_in_use for worker in asr)
    room = sum(worker.live_tracks for worker in asr)
    held = f" ({mesh.held_jobs} held)" if mesh.held_jobs else ""
    sessions = f"{mesh.live_sessions} session{'s' * (mesh.live_sessions != 1)}"
    now = _line(
        _figure("jobs", f"{mesh.active_jobs} of {mesh.max_active_jobs}{held}"),
        _figure("live", f"{sessions}, {share(tracks, room)} tracks"),
        _figure("dead letters", str(mesh.dead_letters), "red" if mesh.dead_letters else ""),
    )
    return [now, _throughput(mesh.throughput)]


def _throughput(found: catalog.Throughput) -> Text:
    window = seconds(found.window) or MINUTE
    ended = found.completed_jobs + found.failed_jobs + found.cancelled_jobs
    cancelled = f", {found.cancelled_jobs} cancelled" if found.cancelled_jobs else ""
    failed = (f"{found.failed_jobs} failed", "red" if found.failed_jobs else "")
    return _line(
        Text.assemble(
            (f"last {age(window)} ", "dim"), f"{found.completed_jobs} complete, ", failed, cancelled
        ),
        _figure("jobs/min", rate(ended * MINUTE / window)),
        _figure("audio h/h", rate(seconds(found.audio) / window)),
    )


def _figure(name: str, value: str, style: str = "bold") -> Text:
    return Text.assemble((f"{name} ", "dim"), (value, style))


def _line(*figures: Text) -> Text:
    return Text("  ").join(figures)


def queues(mesh: catalog.GetMeshResponse, *, by_lane: bool) -> Section:
    """The queues of each stage.

    Args:
        mesh: The mesh.
        by_lane: Whether each lane has a row of its own.
    """
    columns = (
        Column(title="stage"),
        Column(title="workers", rank=4, right=True),
        Column(title="slots", rank=5, right=True),
        *((Column(title="lane"),) if by_lane else ()),
        Column(title="could run", rank=6, right=True),
        Column(title="queued", rank=2, right=True),
        Column(title="running", rank=3, right=True),
        Column(title="oldest", rank=1, right=True),
    )
    rows = [row for stage in mesh.stages for row in _queue_rows(stage, by_lane=by_lane)]
    return Section(columns=columns, rows=rows)


def _queue_rows(stage: catalog.StageStatus, *, by_lane: bool) -> list[Row]:
    count, slots = len(stage.workers), sum(worker.slots for worker in stage.workers)
    busy = sum(len(worker.running) for worker in stage.workers)
    of_stage = [
        Text(stage_name(stage.stage), "bold"),
        Text(str(count)) if count else Text("none", "bold red"),
        Text(share(busy, slots)),
    ]
    if not by_lane:
        return [[*of_stage, *_queue(list(stage.demand))]]
    blank = [Text()] * len(of_stage)
    return [
        [*(blank if place else of_stage), Text(plain(each.lane)), *_queue([each])]
        for place, each in enumerate(stage.demand)
    ]


def _queue(lanes: Sequence[catalog.LaneDemand]) -> list[Text]:
    waits = [seconds(each.oldest_age) for each in lanes if each.HasField("oldest_age")]
    oldest = max(waits, default=None)
    counts = (
        sum(each.runnable_units for each in lanes),
        sum(each.pending_units for each in lanes),
        sum(each.running_units for each in lanes),
    )
    style = "yellow" if oldest is not None and oldest > LONG_WAIT_SECONDS else ""
    return [*map(_count, counts), Text(age(oldest), style if oldest is not None else "dim")]


def _count(number: int) -> Text:
    return Text(str(number), "" if number else "dim")


def _errors(of: event.WorkerInfo) -> Text:
    """What failed in a part within the last minutes, such as "3 calls, 1 NATS"."""
    if not of.HasField("errors"):
        return Text(NOTHING, "dim")
    kinds = (
        ("call", "calls", of.errors.calls),
        ("unit", "units", of.errors.units),
        ("NATS", "NATS", of.errors.broker),
        ("store", "store", of.errors.store),
    )
    found = ", ".join(
        f"{number} {one if number == 1 else many}" for one, many, number in kinds if number
    )
    return Text(found, "red") if found else Text("0", "dim")


def parts(mesh: catalog.GetMeshResponse, now: float) -> Section:
    """The live gateways and workers. `now` is in seconds since 1970.

    Gateways of earlier releases do not report, so they are not among them.
    """
    columns = (
        Column(title="part"),
        Column(title="errors", rank=2),
        Column(title="model", rank=4),
        Column(title="slots", rank=1, right=True),
        Column(title="tracks", rank=3, right=True),
        Column(title="memory", rank=5, right=True),
        Column(title="gpu", rank=6, right=True),
        Column(title="up", rank=7, right=True),
        Column(title="address", rank=8),
    )
    workers = [each for stage in mesh.stages for each in stage.workers]
    rows = [_part(each, now) for each in (*mesh.gateways, *workers)]
    return Section(columns=columns, rows=rows)


def _part(part: event.WorkerInfo, now: float) -> Row:
    memory, is_gateway = part.memory, not part.stage
    loaded = Text("loaded", "green") if memory.loaded else Text("not loaded", "yellow")
    # A gateway has as many tracks as its sessions need.
    tracks = str(part.live_tracks_in_use) if is_gateway else _tracks(part)
    return [
        Text(plain(part.instance)),
        _errors(part),
        Text(NOTHING, "dim") if is_gateway else loaded,
        Text(share(len(part.running), part.slots)),
        Text(tracks),
        Text(size(memory.rss_bytes)),
        Text(size(memory.gpu_bytes)),
        Text(age(now - part.start_time.ToNanoseconds() / 1e9)),
        Text(plain(part.address), "dim"),
    ]


def _tracks(worker: event.WorkerInfo) -> str:
    return share(worker.live_tracks_in_use, worker.live_tracks)


def running(mesh: catalog.GetMeshResponse, now: float) -> Section:
    """What runs, the longest first. `now` is in seconds since 1970."""
    columns = (
        Column(title="running", folds=ID_COLUMNS),
        Column(title="unit", rank=2),
        Column(title="attempt", rank=4, right=True),
        Column(title="worker", rank=3),
        Column(title="since", rank=1, right=True),
    )
    found = [
        (unit.start_time.ToNanoseconds() / 1e9, worker.instance, unit)
        for stage in mesh.stages
        for worker in stage.workers
        for unit in worker.running
    ]
    rows = [
        [
            Text(plain(unit.job_id)) if unit.job_id else Text("direct call", "dim"),
            Text(plain(unit.unit) if unit.job_id else NOTHING),
            Text(str(unit.attempt), "yellow" if unit.attempt > 1 else ""),
            Text(plain(instance)),
            Text(age(now - began)),
        ]
        for began, instance, unit in sorted(found, key=lambda each: each[:2])
    ]
    return Section(columns=columns, rows=rows)


def failures(mesh: catalog.GetMeshResponse) -> Section:
    """Why jobs failed, the last first."""
    columns = (
        Column(title="failed", folds=ID_COLUMNS),
        Column(title="unit", rank=2),
        Column(title="reason", rank=1),
        Column(title="at", rank=3, right=True),
    )
    rows = [
        [
            Text(plain(each.job_id)),
            Text(plain(each.unit)),
            Text(plain(each.reason), "red"),
            Text(time.strftime("%H:%M:%S", time.localtime(each.fail_time.seconds))),
        ]
        for each in mesh.throughput.failures
    ]
    return Section(columns=columns, rows=rows)
