"""Starts and ends a process that decodes untrusted audio. Runs in the service."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process

# A process that dies of one of these signals was killed by its input, which broke a
# limit or a decoder.
KILLED_BY_INPUT = frozenset({
    signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGXCPU,
    signal.SIGXFSZ,
})  # fmt: skip


async def start(module: str, *arguments: str, stdin: int = PIPE, buffer_bytes: int) -> Process:
    """Starts a decoding process, which confines itself (`sandbox`).

    Args:
        module: The module that it runs.
        arguments: Its arguments.
        stdin: Its standard input: a descriptor, or a pipe.
        buffer_bytes: The pipe's reader buffers up to twice this of its output.
    """
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", module, *arguments),
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        limit=buffer_bytes,
        # More threads would only use address space, which is limited.
        env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PATH": os.defpath},
        start_new_session=True,
    )


async def end(process: Process) -> str:
    """Kills a process and reaps it, even if this task is cancelled.

    Returns:
        The last line of its standard error, unless somebody else read that.
    """
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    # The pipes must be drained, or their transports stay open.
    _, trace = await asyncio.shield(process.communicate())
    return trace.decode(errors="replace").strip().rpartition("\n")[2]
