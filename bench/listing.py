"""Lists and search over many jobs, in SQLite or PostgreSQL.

The read model is filled with made-up jobs: one of five teams and one of 50 projects each as labels,
98 of 100 complete, one accepted every 10 seconds, and the text of a short meeting each. Pages are
then asked for one after another, as the gateway does, and each time runs from the request message
to the response message; gRPC is not in it. The whole fits into memory. A PostgreSQL of the script's
own runs without fsync, which only filling notices.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Annotated
from uuid import UUID

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from bench.meshes import data_folder
from bench.report import Figure, JsonOption, Report, note
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.readmodel import JobText, ReadModel, TextMoment, job_entry, open_read_model
from maie_gateway.readmodel.entries import text_version
from tests.gateway.readmodel.postgres import postgres_server

PROMISED_MS = 200
TENANT = "default"
START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH_JOBS = 500
JOB_SECONDS = 10
TEAMS = 5
PROJECTS = 50
VOCABULARY = 5_000
SEGMENTS = 8
SEGMENT_WORDS = 12
RARE_EVERY = 1_000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Ask = Callable[[], Awaitable[object]]


@app.command()
def main(
    jobs: Annotated[int, typer.Option(help="How many jobs there are.")] = 100_000,
    asks: Annotated[int, typer.Option(help="How often each page is asked for.")] = 100,
    database: Annotated[
        str, typer.Option(help="sqlite, postgresql (a server of its own), or a URL; emptied!")
    ] = "sqlite",
    as_json: JsonOption = False,
) -> None:
    """Prints the median and the 99th percentile of each kind of page."""
    with _database(database) as (name, url):
        asyncio.run(_main(name, url, jobs, asks, as_json))


@contextmanager
def _database(asked: str) -> Iterator[tuple[str, str]]:
    if asked == "sqlite":
        with data_folder() as folder:
            yield asked, f"sqlite:///{folder}/readmodel.db"
    elif asked == "postgresql":
        with postgres_server() as url:
            yield asked, url
    else:
        yield asked.partition(":")[0], asked


async def _main(name: str, url: str, jobs: int, asks: int, as_json: bool) -> None:
    async with open_read_model(url) as model:
        await model.clear()
        filling = await _fill(model, jobs)
        await model.analyze()
        figures = [Figure(name="filling, jobs with text", value=jobs / filling, unit="1/s")]
        for what, ask in (await _questions(model, jobs)).items():
            figures += await _ask(what, ask, asks)
    Report(
        bench="listing",
        measured=f"How long a page out of {jobs:,} jobs takes, one page at a time.",
        settings={"database": name, "jobs": jobs, "asks_of_each": asks, "page_size": 50},
        figures=figures,
    ).print(as_json)


async def _fill(model: ReadModel, jobs: int) -> float:
    """Writes all jobs and their text; returns the seconds that took."""
    chance = random.Random(1)
    words = [f"{prefix}{number}" for number in range(VOCABULARY // 2) for prefix in ("wo", "to")]
    took = 0.0
    for start in range(0, jobs, BATCH_JOBS):
        numbers = range(start, min(start + BATCH_JOBS, jobs))
        records = [_record(number, chance) for number in numbers]
        texts = [
            JobText(
                job_id=made.job_id,
                version=text_version(made),
                moments=_moments(number, words, chance),
                language="en",
            )
            for number, made in zip(numbers, records, strict=True)
        ]
        began = time.perf_counter()
        await model.apply_all([job_entry(made, number) for number, made in enumerate(records, 1)])
        await model.index_texts(texts)
        took += time.perf_counter() - began
        if (start + BATCH_JOBS) % 10_000 == 0:
            note(f"{start + BATCH_JOBS:,} jobs are written")
    return took


def _record(number: int, chance: random.Random) -> record.JobRecord:
    states = (job.JOB_STATE_COMPLETE, job.JOB_STATE_FAILED, job.JOB_STATE_CANCELLED)
    (state,) = chance.choices(states, weights=(98, 1, 1))
    made = record.JobRecord(
        job_id=str(UUID(int=number)),
        tenant=TENANT,
        state=state,
        display_name=f"Meeting {number}",
        labels={"team": f"team-{number % TEAMS}", "project": f"{chance.randrange(PROJECTS)}"},
    )
    made.config.filename = f"meeting-{number}.flac"
    made.config.template_id, made.template_sha256 = f"notes_{number % TEAMS}", "0" * 64
    made.speaker_names.update({"S1": f"Anna {number % TEAMS}", "S2": "Ben Okri"})
    accepted = made.log.add(state_changed=job.JobStateChanged(state=job.JOB_STATE_PENDING))
    accepted.event_time.CopyFrom(_time(number))
    ended = made.log.add(state_changed=job.JobStateChanged(state=state))
    ended.event_time.CopyFrom(_time(number))
    for unit, stage in (("preprocess", common.STAGE_PREPROCESS), ("asr.0000", common.STAGE_ASR)):
        made.units.add(unit=unit, stage=stage, state=job.UNIT_STATE_COMPLETED)
    return made


def _moments(number: int, words: Sequence[str], chance: random.Random) -> list[TextMoment]:
    """Every job says "budget", half say "release", and few say "eclipse"."""
    said = [chance.choices(words, k=SEGMENT_WORDS) for _ in range(SEGMENTS)]
    said[0][3] = "budget"
    if number % 2:
        said[1][4:6] = ["the", "release"]
    if number % RARE_EVERY == 0:
        said[2][5] = "eclipse"
    return [
        TextMoment(
            text=" ".join(part),
            segment_id=f"c0000-s{place:04d}",
            start=place * 5_000_000,
            end=(place + 1) * 5_000_000,
        )
        for place, part in enumerate(said)
    ]


def _time(number: int) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(START + timedelta(seconds=number * JOB_SECONDS))
    return stamp


async def _questions(model: ReadModel, jobs: int) -> dict[str, Ask]:
    """One function for each kind of page."""
    deep = job.ListJobsRequest()
    while True:
        deep.page_size = 1000
        page = await model.list_page(TENANT, deep)
        if not page.next_page_token:
            break
        deep.page_token = page.next_page_token
    deep.page_size = 0
    failed = [job.JOB_STATE_FAILED]
    unfinished = [job.JOB_STATE_PENDING, job.JOB_STATE_PREPROCESSING]
    several = [*failed, job.JOB_STATE_COMPLETE, job.JOB_STATE_CANCELLED]
    middle, later = _time(jobs // 2), _time(jobs // 2 + 100)
    lists = {
        "list: first page": job.ListJobsRequest(),
        "list: last page": deep,
        "list: 1,000 a page": job.ListJobsRequest(page_size=1000),
        "list: a rare state": job.ListJobsRequest(states=failed),
        "list: states of no job": job.ListJobsRequest(states=unfinished),
        "list: three states": job.ListJobsRequest(states=several),
        "list: a label": job.ListJobsRequest(labels={"team": "team-3"}),
        "list: two labels": job.ListJobsRequest(labels={"team": "team-3", "project": "7"}),
        "list: label and rare state": job.ListJobsRequest(labels={"team": "team-3"}, states=failed),
        "list: label of no job": job.ListJobsRequest(labels={"team": "nobody"}),
        "list: a range of time": job.ListJobsRequest(accepted_from=middle, accepted_until=later),
        "list: before a time": job.ListJobsRequest(accepted_until=middle),
        "list: a template": job.ListJobsRequest(template_id="notes_3"),
        "list: template of no job": job.ListJobsRequest(template_id="none"),
        "list: a language": job.ListJobsRequest(language_code="en"),
        "list: language of no job": job.ListJobsRequest(language_code="de"),
        "list: a speaker": job.ListJobsRequest(speaker="anna 3"),
        "list: speaker of no job": job.ListJobsRequest(speaker="anna okri"),
    }
    searches = {
        "search: a word of every job": job.SearchJobsRequest(query="budget"),
        "search: two frequent words": job.SearchJobsRequest(query="budget release"),
        "search: a phrase of half the jobs": job.SearchJobsRequest(query='"the release"'),
        "search: a word of every 50th job": job.SearchJobsRequest(query="wo17"),
        "search: a rare word": job.SearchJobsRequest(query="eclipse"),
        "search: a beginning": job.SearchJobsRequest(query="budget eclip*"),
        "search: a word of no job": job.SearchJobsRequest(query="zebra"),
        "search: 100 a page": job.SearchJobsRequest(query="budget", page_size=100),
        "search: a speaker's": job.SearchJobsRequest(query="budget", speaker="anna 3"),
        "search: a speaker's of no job": job.SearchJobsRequest(query="budget", speaker="zoe"),
    }
    asks: dict[str, Ask] = {}
    for what, request in lists.items():
        asks[what] = lambda request=request: model.list_page(TENANT, request)  # type: ignore[misc]
    for what, found in searches.items():
        asks[what] = lambda found=found: model.search(TENANT, found)  # type: ignore[misc]
    return asks


async def _ask(what: str, ask: Ask, asks: int) -> list[Figure]:
    taken: list[float] = []
    for _ in range(asks):
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1000)
    return [
        Figure(name=f"{what}, p50", value=median(taken), unit="ms"),
        Figure(
            name=f"{what}, p99", value=quantiles(taken, n=100)[98], unit="ms", at_most=PROMISED_MS
        ),
    ]


if __name__ == "__main__":
    app()
