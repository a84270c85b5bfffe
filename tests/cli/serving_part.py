"""A part of a mesh for tests: answers health, with a child process of its own.

Usage: python serving_part.py HOST:PORT
"""

import asyncio
import sys

from maie_runtime.rpc.server import GrpcServer


async def main() -> None:
    grandchild = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", "import time; time.sleep(600)")
    )
    server = GrpcServer(sys.argv[1], ())
    await server.start()
    await server.set_serving(True)
    print(f"grandchild {grandchild.pid}", flush=True)
    await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
