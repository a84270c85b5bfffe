"""What a job of a recording has besides what it asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_gateway.engine.workers import LiveWorkers

AddedFeatures: TypeAlias = Callable[[job.JobConfig], Sequence[job.Feature]]

# The stages whose units this release can lead as optional ones, as each gateway reports.
OPTIONAL_STAGES = (common.STAGE_QUALITY,)


def no_added_features(_: job.JobConfig) -> Sequence[job.Feature]:
    """Adds nothing."""
    return ()


def quality_where_served(workers: LiveWorkers) -> AddedFeatures:
    """Adds the report of the sound to jobs that did not ask for it, where a worker could make it.

    The report may delay a job. So nothing is added to jobs of the interactive lane, whose callers
    wait for them. A gateway of the release before cannot go on with a job that has
    one. So while one runs, nothing is added, either.

    Args:
        workers: The live workers and gateways.
    """

    def added(config: job.JobConfig) -> Sequence[job.Feature]:
        is_asked = job.FEATURE_QUALITY in config.features
        is_awaited = config.lane == job.LANE_INTERACTIVE
        is_served = workers.slots().get(common.STAGE_QUALITY, 0) > 0
        is_known = all(
            common.STAGE_QUALITY in gateway.optional_stages for gateway in workers.gateways()
        )
        if is_asked or is_awaited or not is_served or not is_known:
            return ()
        return (job.FEATURE_QUALITY,)

    return added
