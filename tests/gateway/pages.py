"""What a gateway's page of metrics says."""

from __future__ import annotations

import asyncio
import re
from urllib.request import urlopen

from tests.waiting import PATIENCE_SECONDS

SAMPLE = re.compile(r"^(maie_\w+)\{(.*)\} ([0-9.e+]+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
Samples = dict[tuple[str, ...], int]


async def page(port: int) -> str:
    """The gateway's page of metrics."""

    def read() -> str:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_SECONDS) as answer:
            return bytes(answer.read()).decode()

    return await asyncio.to_thread(read)


def samples(text: str, name: str, *labels: str) -> Samples:
    """The values of a gauge, by its labels."""
    found: Samples = {}
    for metric, stated, value in SAMPLE.findall(text):
        if metric == name:
            of = dict(LABEL.findall(stated))
            found[tuple(of[label] for label in labels)] = int(float(value))
    return found
