"""A nats-server with the configuration that `maie nats config` writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.rights import MONITOR, OPERATOR, PROVISION, parts
from maie_runtime.bus.seeds import make_seed, seed_file
from maie_runtime.bus.server_config import ACCOUNTS_FILE, accounts_text
from tests.conftest import NatsServer, free_port


class GuardedNats(NatsServer):
    """A server that lets each part in with its own seed, and allows it what `rights.py` lists.

    Args:
        folder: For its files.
        gpus: The stages that share a GPU, by the GPU's name.
    """

    def __init__(self, folder: Path, gpus: Mapping[str, Collection[str]] | None = None) -> None:
        super().__init__(
            port=free_port(),
            store=folder / "jetstream",
            config=folder / ACCOUNTS_FILE,
            log=folder / "nats.log",
        )
        self._seeds = folder / "nkeys"
        keys = {each: make_seed(self._seeds, each) for each in (*parts(), OPERATOR, MONITOR)}
        (folder / ACCOUNTS_FILE).write_text(accounts_text(keys, gpus))

    def seed(self, part: str) -> Path:
        """The file with a part's seed."""
        return seed_file(self._seeds, part)

    def connected(self, part: str) -> AbstractAsyncContextManager[Broker]:
        """A connection as a part has it."""
        return open_broker(
            self.url,
            part,
            inbox=subjects.inbox(part),
            credentials=Credentials(nkey=self.seed(part)),
        )

    def provisioned(self) -> AbstractAsyncContextManager[Broker]:
        """The broker as `maie provision` leaves it."""
        return open_provisioned_broker(
            self.url,
            PROVISION,
            inbox=subjects.inbox(PROVISION),
            credentials=Credentials(nkey=self.seed(PROVISION)),
        )

    def violations(self) -> list[str]:
        """The lines of the server's log about what it refused."""
        assert self.log is not None
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "violation" in line.lower() or "[ERR]" in line]
