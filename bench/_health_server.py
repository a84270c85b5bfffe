"""A server that answers health: `python -m bench._health_server plain|tls|mtls [FOLDER]`.

FOLDER is one of `maie certs`. Prints the server's address, and serves until it is stopped.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from maie_runtime.rpc.server import GrpcServer
from maie_runtime.rpc.tls import ServerTls, open_certificates

MODES = ("plain", "tls", "mtls")


def _tls(mode: str, folder: Path) -> ServerTls | None:
    if mode == "plain":
        return None
    own = folder / "gateway"
    files = open_certificates(own / "tls.crt", own / "tls.key", own / "ca.crt")
    return ServerTls(files=files, clients=mode == "mtls")


async def main(mode: str, folder: Path) -> None:
    """Serves."""
    server = GrpcServer("127.0.0.1:0", (), tls=_tls(mode, folder))
    await server.start()
    await server.set_serving(True)
    print(server.address, flush=True)
    await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
