"""What earlier runs into the same folder have done, so that it is not done again."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from maie.common.v1 import types_pb2 as common
from maie_cli.console import note
from maie_cli.files import ResultFolder
from maie_client import Client, ClientError, StatusCode

Row = TypeVar("Row")

# Within the folder of the results: a file for each recording that is done.
FOLDER = ".done"


@dataclass(kw_only=True, frozen=True, slots=True)
class EarlierRuns:
    """The recordings that are done, each by a digest of all that its result depends on.

    Attributes:
        folder: The folder of the results.
        versions: What every result depends on; as `versions_of`.
    """

    folder: Path
    versions: Sequence[str]

    def digest(self, *parts: str) -> str:
        """What is the same as long as the result would be.

        Args:
            parts: The recording's content, and what else its result depends on.
        """
        content = json.dumps([*parts, *self.versions])
        return hashlib.sha256(content.encode(errors="replace")).hexdigest()

    async def find(self, digest: str, row_from: Callable[[Any], Row]) -> Row | None:
        """The row that was kept; None where there is none, or of another version.

        Args:
            digest: What `digest` gave.
            row_from: Makes the row of values, or raises TypeError.
        """
        return await asyncio.to_thread(self._find, digest, row_from)

    def _find(self, digest: str, row_from: Callable[[Any], Row]) -> Row | None:
        path = self.folder / FOLDER / f"{digest}.json"
        try:
            return row_from(json.loads(path.read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    async def keep(self, digest: str, values: Any) -> None:
        """Keeps the values of a result, which JSON can hold.

        Raises:
            ResultError: They cannot be written.
        """
        content = json.dumps(values, ensure_ascii=False).encode(errors="replace")
        await asyncio.to_thread(ResultFolder(self.folder / FOLDER).put, f"{digest}.json", content)


async def versions_of(client: Client, stages: Collection[common.Stage]) -> list[str]:
    """The command, and the engines of the stages that results depend on."""
    try:
        models = await client.list_models()
    except ClientError as error:
        if error.code is not StatusCode.PERMISSION_DENIED:
            raise
        note("this key may not list models: what is done stays so when the engines change")
        models = []
    engines = {
        f"{each.info.engine.engine} {each.info.engine.library} {each.info.engine.checkpoint_sha256}"
        for each in models
        if each.stage in stages
    }
    return [version("maie-cli"), *sorted(engines)]
