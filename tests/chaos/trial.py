"""One trial: jobs come, something breaks, and every job is held to its promises."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from maie.job.v1 import job_pb2 as job
from maie_client import ClientError
from tests.chaos.fault import Break, Fault
from tests.chaos.stored import wrong_with
from tests.chaos.world import STUCK_SECONDS, World, now

JOBS = 10
LOAD_SECONDS = 1.5
# A fault waits for jobs of its own, each for as long as a job may stand still.
STEP_SECONDS = 2 * STUCK_SECONDS
# Each unit once: preprocess, then those of each chunk, and those that join the chunks.
ENDED = ("UNIT_STATE_COMPLETED", "UNIT_STATE_SKIPPED")


@dataclass(kw_only=True)
class Outcome:
    """What came of the jobs of one or more trials.

    Attributes:
        trials: How many trials these are.
        accepted: Jobs whose id was given out.
        lost: Accepted jobs that are not there any more, or in a wrong final state.
        doubled: Jobs that completed a unit twice, or whose result changed.
        stuck: Jobs that stood still.
        gaps: Watchers that missed or repeated an event.
        broken: What else a fault found wrong, such as a refusal that misleads.
        again: Units that a worker completed more than once, or for a job whose id did
            not arrive; harmless.
        recovery: Seconds from the fault, or where it lasts from its end, to the end of
            a job that is submitted from then on.
        stalls: The longest wait of a submit in each trial that measures it, in seconds.
        repeated: Submits that were sent again under their request id, as their connection broke.
        wrong: What exactly was wrong, in words.
        not_run: Why no trial could be made; None where one could.
    """

    trials: int = 0
    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    gaps: int = 0
    broken: int = 0
    again: int = 0
    recovery: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    repeated: int = 0
    wrong: list[str] = field(default_factory=list)
    not_run: str | None = None

    @property
    def well(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.doubled or self.stuck or self.gaps or self.broken)

    def blame(self, kind: str, job_id: str, why: str) -> None:
        """Counts a broken promise."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.wrong.append(f"{kind}: job {job_id}: {why}")


async def run_trial(world: World, fault: Fault, outcome: Outcome) -> None:
    """Runs one trial and adds what came of it."""
    world.accepted.clear()
    world.units_removed = 0
    world.stalls.clear()
    world.repeated = 0
    completed_before = world.units_completed()
    loading = asyncio.create_task(world.load(JOBS, LOAD_SECONDS))
    await asyncio.sleep(world.chance.uniform(0.2, LOAD_SECONDS))
    await _bounded(fault.happen, world, outcome)
    outcome.recovery.append(await _recovery(world, outcome))
    await loading
    await _bounded(fault.afterwards, world, outcome)
    outcome.trials += 1
    outcome.stalls += world.stalls
    outcome.repeated += world.repeated
    outcome.accepted += len(world.accepted)
    units = await asyncio.gather(
        *(_check(world, job_id, state, outcome) for job_id, state in world.accepted.items())
    )
    counted = sum(units) + world.units_removed
    outcome.again += max(0, world.units_completed() - completed_before - counted)


async def _bounded(step: Break, world: World, outcome: Outcome) -> None:
    """Takes a step of a fault, and blames it for what was wrong."""
    try:
        wrong = await world.while_it_works(_taken(step, world), STEP_SECONDS)
    except TimeoutError:
        wrong = f"the fault was not over, and nothing was done for {STEP_SECONDS:.0f} s"
    except ClientError as error:
        wrong = f"a call failed with {error.code.name} {error.reason}: {error.message}"
    if wrong is not None:
        outcome.blame("broken", "-", wrong)


async def _taken(step: Break, world: World) -> str | None:
    return await step(world)


async def _recovery(world: World, outcome: Outcome) -> float:
    """Submits a job, again and again until it is accepted, and waits for its end."""
    started = now()
    while (probe := await world.submit()) is None:
        if now() - started > STUCK_SECONDS:
            outcome.blame("stuck", "-", "no job was accepted any more")
            return now() - started
        await asyncio.sleep(0.1)
    await world.end_of(probe)
    return now() - started


async def _check(world: World, job_id: str, expected: job.JobState, outcome: Outcome) -> int:
    """Holds a job to its promises; gives how many units it completed."""
    finished = await world.end_of(job_id)
    if finished is None:
        outcome.blame("stuck", job_id, "no final state in time")
        return 0
    if finished.state != expected:
        reasons = ", ".join(f"{f.unit}: {f.reason}" for f in finished.failures)
        outcome.blame("lost", job_id, f"{job.JobState.Name(finished.state)} ({reasons})")
    try:
        again = await world.client.get_job(job_id)
    except ClientError as error:
        outcome.blame("lost", job_id, error.message)
        return 0
    if again.results != finished.results or again.state != finished.state:
        outcome.blame("doubled", job_id, "its result changed")
    if again.state == job.JOB_STATE_COMPLETE:
        if (wrong := await wrong_with(world.objects, again)) is not None:
            outcome.blame("broken", job_id, wrong)
        if _lacks_report(again):
            outcome.blame("broken", job_id, "it lacks the report of its sound that it asked for")
    return await _check_events(world, job_id, outcome)


def _lacks_report(of: job.Job) -> bool:
    asked = job.FEATURE_QUALITY in of.config.features
    return asked and not of.results.HasField("quality_report")


async def _check_events(world: World, job_id: str, outcome: Outcome) -> int:
    events = [event async for event in world.client.watch_job(job_id)]
    sequences = [event.sequence for event in events if event.sequence]
    if sequences != list(range(1, len(sequences) + 1)):
        outcome.blame("gaps", job_id, f"its events are {sequences}")
    ended = Counter(
        event.unit_ended.unit
        for event in events
        if event.WhichOneof("event") == "unit_ended"
        and job.UnitState.Name(event.unit_ended.state) in ENDED
    )
    if any(count > 1 for count in ended.values()):
        outcome.blame("doubled", job_id, f"units that ended twice: {ended}")
    return sum(ended.values())
