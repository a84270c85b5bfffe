"""The key of a local mesh, where the kernel does not say who calls its gateway."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from maie_cli.mesh.layout import Layout
from maie_core.api_keys import BOOTSTRAP_ID, new_key
from maie_runtime.rpc.callers.local_user import is_loopback
from maie_runtime.rpc.callers.socket_owner import can_say

if TYPE_CHECKING:
    from maie_cli.mesh.parts import Part

KEY_FILE = "MAIE_GATEWAY_BOOTSTRAP_KEY_FILE"
LISTEN = "MAIE_GATEWAY_LISTEN"


def with_key(gateway: Part, layout: Layout) -> Part:
    """The gateway, taking a key that lies in the mesh's folder, for its owner only.

    Under Linux and on a loopback address it takes none: the kernel says that the user calls who
    started the mesh.
    """
    if not _wants_key(gateway) or gateway.environment.get(KEY_FILE):
        return gateway
    file = layout.run / "key"
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(f"{new_key(BOOTSTRAP_ID).text}\n")
    return replace(gateway, environment={**gateway.environment, KEY_FILE: str(file)})


def key_of(gateway: Part) -> Path | None:
    """The file with the key that calls of a gateway need; None where they need none."""
    return Path(gateway.environment[KEY_FILE]) if _wants_key(gateway) else None


def _wants_key(gateway: Part) -> bool:
    return not can_say() or not is_loopback(gateway.environment[LISTEN])
