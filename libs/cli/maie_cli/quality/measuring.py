"""Measures many recordings, a limited number of them concurrently."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from maie.common.v1 import types_pb2 as common
from maie_cli.at_once import Ended, for_each
from maie_cli.batch import Batch, Outcome
from maie_cli.earlier import EarlierRuns
from maie_cli.exits import Exit, os_sentence
from maie_cli.recordings import Recording
from maie_formats.clean import plain
from maie_formats.quality.rows import Row, row_from, row_of

ENGINES: Final = (common.STAGE_PREPROCESS, common.STAGE_QUALITY)
"""The stages whose engines a row depends on."""
AT_ONCE: Final = 4


class Measuring:
    """Measures recordings that no earlier run has measured.

    Args:
        batch: Processes one.
        earlier: What earlier runs have measured.
    """

    def __init__(self, batch: Batch, earlier: EarlierRuns) -> None:
        self._batch = batch
        self._earlier = earlier

    async def run(
        self, recordings: Sequence[Recording], ended: Callable[[Ended[Row]], None]
    ) -> None:
        """Measures all; one that fails does not affect the others.

        Args:
            recordings: The recordings, in files.
            ended: Called with each when it ended, in any order.
        """

        async def work(recording: Recording) -> None:
            ended(await self._end(recording))

        await for_each(recordings, AT_ONCE, work)

    async def _end(self, recording: Recording) -> Ended[Row]:
        name = plain(str(recording))
        try:
            digest = self._earlier.digest(await asyncio.to_thread(_content_of, recording.path))
        except OSError as error:
            return Ended(row=Row(file=name, error=os_sentence(error)), code=Exit.USAGE)
        if (row := await self._earlier.find(digest, row_from)) is not None:
            return Ended(row=replace(row, file=name), before=True)
        (outcome,) = await self._batch.run([recording])
        row = _row(outcome, name)
        if not row.error:
            await self._earlier.keep(digest, asdict(row))
        return Ended(row=row, code=outcome.code)


def _content_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _row(outcome: Outcome, name: str) -> Row:
    finished = outcome.finished
    if finished is None or not finished.job.results.HasField("quality_report"):
        return Row(file=name, error=outcome.message or "There is no quality report.")
    return row_of(finished.job, name)
