"""Compares many recordings with their texts, a limited number of them concurrently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from obstore.exceptions import BaseError

from maie.common.v1 import types_pb2 as common
from maie_cli.align.comparing import Compared, compare
from maie_cli.align.results import Results, unique_name
from maie_cli.align.retries import CutShortError
from maie_cli.align.rows import Row, row_from, row_of
from maie_cli.align.sources import Found, Source
from maie_cli.align.texts import Wanted
from maie_cli.at_once import Ended, for_each
from maie_cli.clips.cutting import ClipError
from maie_cli.earlier import EarlierRuns
from maie_cli.exits import Exit, os_sentence
from maie_cli.internal_errors import internal_error
from maie_cli.views import SilentView
from maie_client import Client
from maie_formats.clean import plain

# What results depend on.
ENGINES = (common.STAGE_ASR, common.STAGE_ALIGNMENT)


@dataclass(kw_only=True, frozen=True, slots=True)
class Many:
    """A run over many recordings.

    Attributes:
        client: The connection.
        source: Where the recordings are.
        results: Where reports and clips go.
        earlier: What earlier runs have done.
        language: The language, such as "en"; empty for that of the mesh.
        at_once: The most recordings in progress.
        outlived: As `Batch` has it.
    """

    client: Client
    source: Source
    results: Results
    earlier: EarlierRuns
    language: str
    at_once: int
    outlived: bool

    async def run(self, wanted: Sequence[Wanted], ended: Callable[[Ended[Row]], None]) -> None:
        """Compares all; one that fails does not affect the others.

        Args:
            wanted: The recordings and their texts.
            ended: Called with each when it ended, in any order.

        Raises:
            BaseError: The recordings cannot be listed.
            OSError: The recordings cannot be listed.
        """
        there = await self.source.list()

        async def work(each: Wanted) -> None:
            ended(await self._end(each, there.get(each.recording)))

        await for_each(wanted, self.at_once, work)

    async def _end(self, wanted: Wanted, found: Found | None) -> Ended[Row]:
        if wanted.error:
            return _failed(wanted, Exit.USAGE, wanted.error)
        if found is None:
            return _failed(wanted, Exit.USAGE, "There is no such recording.")
        try:
            return await self._compared(wanted, found)
        except ClipError as error:
            return _failed(wanted, Exit.USAGE, f"No clips: {error}.")
        except (BaseError, CutShortError):
            return _failed(wanted, Exit.UNREACHABLE, "The object store fails at it; try again.")
        except OSError as error:
            return _failed(wanted, Exit.USAGE, os_sentence(error))
        except Exception as error:  # noqa: BLE001 # our bug must not stop the other recordings
            return _failed(wanted, Exit.FAILED, internal_error(error))

    async def _compared(self, wanted: Wanted, found: Found) -> Ended[Row]:
        digest = await self._digest(wanted, found)
        if (row := await self.earlier.find(digest, row_from)) is not None:
            return Ended(row=row, before=True)
        name = unique_name(found.name)
        async with self.source.fetch(found) as path:
            compared = await self._compare(wanted, path)
            if compared.report is None:
                return _failed(wanted, compared.code, compared.error)
            kept = self.source.keeps
            await self.results.save(compared.report, path, name, kept=kept)
        row = row_of(plain(found.name), name, compared.report, compared.warnings)
        await self.earlier.keep(digest, asdict(row))
        return Ended(row=row)

    async def _compare(self, wanted: Wanted, path: Path) -> Compared:
        name = plain(wanted.recording)
        return await compare(
            self.client,
            path,
            wanted.text,
            SilentView(),
            name=name,
            language=self.language,
            outlived=self.outlived,
        )

    async def _digest(self, wanted: Wanted, found: Found) -> str:
        """What is the same as long as the result would be."""
        identity = await self.source.identity(found)
        clips = self.results.clip_format or ""
        return self.earlier.digest(identity, found.name, wanted.text, self.language, clips)


def _failed(wanted: Wanted, code: Exit, error: str) -> Ended[Row]:
    return Ended(row=Row(recording=plain(wanted.recording), error=plain(error)), code=code)
