"""The text of a job in pieces that only grow, while the job runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_formats.transcript import lines
from maie_web.openai.answers import text_of

# What follows the end of a unit at once: its stage's progress and its output.
_OF_A_UNIT = ("stage_progress", "segment", "warning")
_ENDED = (job.UNIT_STATE_COMPLETED, job.UNIT_STATE_SKIPPED)


class Deltas:
    """Gives the text of a job in recording order, and each part once.

    Raw text comes segment by segment, clean text chunk by chunk.

    Args:
        config: The job.
    """

    def __init__(self, config: job.JobConfig) -> None:
        self._clean = job.FEATURE_CLEAN_TRANSCRIPT in config.features
        self._stage = common.STAGE_ENHANCEMENT if self._clean else common.STAGE_ASR
        self._segments: dict[str, dict[str, common.Segment]] = {}
        self._ended: dict[str, job.UnitState] = {}
        self._next = 0
        self._sent = ""

    def of(self, event: job.JobEvent) -> Iterator[str]:
        """The text that an event adds."""
        kind = event.WhichOneof("event")
        match kind:
            case "segment":
                chunk = event.segment.segment_id.partition("-")[0]
                self._segments.setdefault(chunk, {})[event.segment.segment_id] = event.segment
            case "unit_ended" if event.unit_ended.stage == self._stage:
                if event.unit_ended.state in _ENDED:
                    chunk = _chunk(int(event.unit_ended.unit.rpartition(".")[2]))
                    self._ended[chunk] = event.unit_ended.state
            case "finished":
                yield from self._rest(text_of(event.finished.job.results))
                return
        yield from self._chunks(after_unit=kind not in _OF_A_UNIT)

    def _chunks(self, *, after_unit: bool) -> Iterator[str]:
        """The text of what is next, and settled."""
        while True:
            chunk = _chunk(self._next)
            settled = self._is_settled(chunk, after_unit)
            if settled or not self._clean:
                yield from self._add(self._segments.pop(chunk, {}))
            if not settled:
                return
            self._next += 1

    def _is_settled(self, chunk: str, after_unit: bool) -> bool:
        """Whether a chunk has all of its text. Its segments come after the end of its unit."""
        if chunk not in self._ended:
            return False
        if not self._clean:
            return after_unit or chunk != next(reversed(self._ended))
        is_skipped = self._ended[chunk] == job.UNIT_STATE_SKIPPED
        segments = self._segments.get(chunk, {}).values()
        return is_skipped or all(each.HasField("clean_text") for each in segments)

    def _add(self, segments: Mapping[str, common.Segment]) -> Iterator[str]:
        ordered = [segments[name] for name in sorted(segments)]
        text = " ".join(line.text for line in lines(job.JobResults(segments=ordered)))
        if text:
            yield from self._send(f" {text}" if self._sent else text)

    def _rest(self, whole: str) -> Iterator[str]:
        """What is still lacking; nothing where the order differs, as with split channels."""
        if whole.startswith(self._sent) and whole != self._sent:
            yield from self._send(whole[len(self._sent) :])

    def _send(self, text: str) -> Iterator[str]:
        self._sent += text
        yield text


def _chunk(index: int) -> str:
    """How the names of a chunk's segments begin."""
    return f"c{index:04d}"
