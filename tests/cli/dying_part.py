"""A part of a mesh for tests that dies while it starts, so many times, and then serves.

Usage: python dying_part.py STATUS TIMES FOLDER HOST:PORT

STATUS is an exit status, or a signal that the part sends itself where it is negative. Each start
leaves a file with its process id in the folder.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.cli import serving_part

if __name__ == "__main__":
    status, times, folder, address = (
        int(sys.argv[1]),
        int(sys.argv[2]),
        Path(sys.argv[3]),
        sys.argv[4],
    )
    starts = len(list(folder.iterdir())) + 1
    (folder / str(starts)).write_text(str(os.getpid()))
    if starts <= times:
        print('{"level": "error", "error": "This is my own fault."}', flush=True)
        if status >= 0:
            sys.exit(status)
        os.kill(os.getpid(), -status)
    sys.argv[1] = address
    asyncio.run(serving_part.main())
