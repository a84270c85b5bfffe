"""Forks processes for the `maie` command, with the libraries that it uses imported already.

Most of a short command's time is these imports. The command's own modules are imported by each
command: some look at the environment when they are imported.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import socket
import struct
import sys
from typing import Any, NoReturn

LIBRARIES = (
    *("asyncio", "grpc.aio", "grpc_health.v1.health_pb2_grpc", "grpc_status.rpc_status"),
    *("google.protobuf.json_format", "google.rpc.error_details_pb2", "pydantic"),
    *("rich.live", "rich.progress", "rich.table", "typer.main", "typer._adapters"),
    *("maie_client", "maie_formats.as_json", "maie_formats.writers", "maie_pipeline.bindings"),
)
MAX_REQUEST_BYTES = 1024 * 1024
# Standard input, output and errors, and where the end is reported.
DESCRIPTORS = 4
# The command's process id, and then its status as of waitpid().
REPORT = struct.Struct("=i")


def serve(requests: socket.socket) -> None:
    """Starts a command for each request, until the requests end."""
    while True:
        content, descriptors, *_ = socket.recv_fds(requests, MAX_REQUEST_BYTES, DESCRIPTORS)
        if not content:
            return
        if os.fork() == 0:
            requests.close()
            _keep(json.loads(content), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _reap()


def _keep(request: dict[str, Any], stdin: int, stdout: int, stderr: int, report: int) -> None:
    """Runs a command in a process of its own, and reports its end."""
    pid = os.fork()
    if pid == 0:
        os.close(report)
        for number, descriptor in enumerate((stdin, stdout, stderr)):
            os.dup2(descriptor, number)
            os.close(descriptor)
        _become(request)
    os.write(report, REPORT.pack(pid))
    os.write(report, REPORT.pack(os.waitpid(pid, 0)[1]))
    os._exit(0)


def _become(request: dict[str, Any]) -> NoReturn:
    """Goes on as the command, as its script does."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["argv"]
    from maie_cli.__main__ import main

    main()
    sys.exit()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
