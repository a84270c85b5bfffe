"""The commands of docs/access.md, as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from maie_client import Client

pytestmark = pytest.mark.mesh

PAGE = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
EXAMPLE_ID = "32b11fb96b5e"


def run(block: str, gateway: str, folder: Path) -> str:
    """Runs a block of the page in a folder, against a gateway."""
    environment = {name: value for name, value in os.environ.items() if name[:5] != "MAIE_"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env={
            **environment,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MAIE_GATEWAY": gateway,
        },
        # The removal of a tenant asks for its name.
        input="acme\n",
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_the_commands_of_the_page_work(gateway: str, tmp_path: Path) -> None:
    commands = [block for block in BLOCKS if "export" not in block]
    assert any(EXAMPLE_ID in block for block in commands)
    for block in commands:
        async with Client(gateway) as client:
            ids = [key.key_id for key in await client.keys.list()]
        own = block.replace(EXAMPLE_ID, ids[0] if ids else EXAMPLE_ID)
        await asyncio.to_thread(run, own, gateway, tmp_path)
    written = {"acme.key", "acme.new.key", "bootstrap.key"}
    assert written <= set(os.listdir(tmp_path))


@pytest.mark.unit
def test_the_settings_of_the_page_are_right() -> None:
    blocks = [block for block in BLOCKS if "export" in block]
    check = (
        "from maie_web.settings import WebSettings as Web\n"
        "from maie_gateway.access.token_settings import TokenSettings as Tokens\n"
        "print(Tokens().scopes, Web().trusted_proxies)"
    )
    shown = subprocess.run(
        ["bash", "-euc", f"{''.join(blocks)}\n'{sys.executable}' -c '{check}'"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "transcribers" in shown.stdout
    assert "ingress.example.com" in shown.stdout
