"""The graph of a job: its units, and which unit needs which.

    preprocess -> asr[i] -> enhancement[i] -> summary.map[i] -> summary.reduce

Every chunk goes its own way; only summary.reduce waits for all of them. Where there is one chunk,
summary.reduce does what its map unit would do, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record

PREPROCESS = "preprocess"
SUMMARY_REDUCE = "summary.reduce"

_NEED_ENHANCEMENT = {
    job.FEATURE_CLEAN_TRANSCRIPT,
    job.FEATURE_ENHANCEMENT_METRICS,
    job.FEATURE_SUMMARY,
}


def asr(index: int) -> str:
    """The name of a chunk's ASR unit."""
    return f"asr.{index:04d}"


def enhancement(index: int) -> str:
    """The name of a chunk's enhancement unit."""
    return f"enhancement.{index:04d}"


def summary_map(index: int) -> str:
    """The name of a chunk's summary unit."""
    return f"summary.map.{index:04d}"


def stages(config: job.JobConfig) -> list[common.Stage]:
    """The stages that a job goes through, in the order of the work."""
    features = set(config.features)
    wanted = [common.STAGE_PREPROCESS, common.STAGE_ASR]
    if features & _NEED_ENHANCEMENT:
        wanted.append(common.STAGE_ENHANCEMENT)
    if job.FEATURE_SUMMARY in features:
        wanted.append(common.STAGE_SUMMARY)
    return wanted


def chunk_units(config: job.JobConfig, chunk_count: int) -> Iterator[record.Unit]:
    """The units that follow preprocess, all waiting, in the order of the record."""
    wanted = stages(config)
    for index in range(chunk_count):
        yield _waiting(asr(index), common.STAGE_ASR, index)
    if common.STAGE_ENHANCEMENT in wanted:
        for index in range(chunk_count):
            yield _waiting(enhancement(index), common.STAGE_ENHANCEMENT, index)
    if common.STAGE_SUMMARY in wanted:
        for index in range(chunk_count if chunk_count > 1 else 0):
            yield _waiting(summary_map(index), common.STAGE_SUMMARY, index)
        yield _waiting(SUMMARY_REDUCE, common.STAGE_SUMMARY, 0)


def _waiting(name: str, stage: common.Stage, index: int) -> record.Unit:
    return record.Unit(unit=name, stage=stage, index=index, state=job.UNIT_STATE_WAITING)


class Graph:
    """A job's units by name, as they stand in a record.

    Units that are appended to the record later are not seen.
    """

    def __init__(self, source: record.JobRecord) -> None:
        self._units = {unit.unit: unit for unit in source.units}
        self._maps = [
            unit
            for unit in source.units
            if unit.stage == common.STAGE_SUMMARY and unit.unit != SUMMARY_REDUCE
        ]
        self._cleaned = [unit for unit in source.units if unit.stage == common.STAGE_ENHANCEMENT]

    def __getitem__(self, name: str) -> record.Unit:
        return self._units[name]

    def get(self, name: str) -> record.Unit | None:
        """The unit of that name, if the job has it."""
        return self._units.get(name)

    def needs(self, unit: record.Unit) -> list[record.Unit]:
        """The units whose outputs a unit reads, in recording order."""
        if unit.unit == SUMMARY_REDUCE:
            return self._maps or self._cleaned
        match unit.stage:
            case common.STAGE_ASR:
                return [self._units[PREPROCESS]]
            case common.STAGE_ENHANCEMENT:
                return [self._units[asr(unit.index)]]
            case common.STAGE_SUMMARY:
                return [self._units[enhancement(unit.index)]]
            case _:
                return []
