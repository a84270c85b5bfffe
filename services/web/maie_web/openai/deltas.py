"""The text of a job in pieces that only grow, while the job runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_formats.transcript import lines
from maie_web.openai.answers import text_of

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
        self._ending = ""
        """The chunk whose unit ended last, as long as its output may still come."""
        self._next = 0
        self._given: set[str] = set()
        self._sent = ""

    def of(self, event: job.JobEvent) -> Iterator[str]:
        """The text that an event adds."""
        match event.WhichOneof("event"):
            case "segment":
                self._take(event.segment)
            case "stage_progress" | "warning":
                pass  # these, and segments, follow the end of their unit
            case "unit_ended":
                self._end(event.unit_ended)
            case "finished":
                yield from self._rest(text_of(event.finished.job.results))
                return
            case _:
                self._ending = ""
        yield from self._chunks()

    def _take(self, segment: common.Segment) -> None:
        # Text that was sent stays as it is, even where another attempt reads it otherwise.
        if segment.segment_id not in self._given:
            chunk = segment.segment_id.partition("-")[0]
            self._segments.setdefault(chunk, {})[segment.segment_id] = segment

    def _end(self, ended: job.UnitEnded) -> None:
        self._ending = ""
        if ended.stage == self._stage and ended.state in _ENDED:
            self._ending = _chunk(int(ended.unit.rpartition(".")[2]))
            self._ended[self._ending] = ended.state

    def _chunks(self) -> Iterator[str]:
        """The text of what is next, and settled."""
        while True:
            chunk = _chunk(self._next)
            settled = self._is_settled(chunk)
            if settled or not self._clean:
                yield from self._add(self._segments.pop(chunk, {}))
            if not settled:
                return
            self._next += 1

    def _is_settled(self, chunk: str) -> bool:
        """Whether a chunk has all of its text. Its segments come after the end of its unit."""
        if chunk not in self._ended:
            return False
        if not self._clean:
            return chunk != self._ending
        is_skipped = self._ended[chunk] == job.UNIT_STATE_SKIPPED
        segments = self._segments.get(chunk, {}).values()
        return is_skipped or all(each.HasField("clean_text") for each in segments)

    def _add(self, segments: Mapping[str, common.Segment]) -> Iterator[str]:
        self._given |= segments.keys()
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
