"""The broker of the mesh, for who has no credential, or that of one part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from maie_cli.mesh.layout import Layout
from maie_cli.mesh.options import STAGES
from maie_runtime.bus.rights import GATEWAY, MONITOR
from maie_runtime.bus.seeds import seed_file
from tests.attacks.conftest import Besieged, Came
from tests.rights.attempts import attempts

pytestmark = pytest.mark.mesh

PARTS = (*STAGES, GATEWAY, MONITOR)


@dataclass(kw_only=True, frozen=True)
class Broker:
    """The running broker, and whose credentials are where."""

    layout: Layout

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"nats://{self.layout.address_file('nats').read_text()}"

    def seed(self, part: str) -> Path:
        """The file with a part's seed."""
        return seed_file(self.layout.nkeys, part)


@pytest.mark.attack(22)
async def test_a_parts_credential_is_good_for_nothing_else(mesh: Besieged, came: Came) -> None:
    broker, tried, let_through = Broker(layout=mesh.running.layout), 0, {}
    for part in PARTS:
        made = await attempts(broker, part, {})
        least = 300 if part == GATEWAY else 700
        assert len(made.published) > least
        assert len(made.heard) > 80
        tried += len(made.published) + len(made.heard)
        let_through[part] = made.let_through
    came(f"{len(PARTS)} credentials, {tried} subjects tried, each refused")
    assert let_through == {part: [] for part in PARTS}
