"""Calls a server as another user of the machine; prints the status, and the error's message.

Usage: python other_user.py HOST:PORT PATH[,PATH...] [UID]
"""

import os
import sys
from typing import Any

import grpc


def main() -> None:
    """A call with an empty request to each path, and a line for each."""
    address, paths, *uid = sys.argv[1:]
    # It connects with the first call. What else Python imports may be unreadable to the other user.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        if uid:
            os.setgroups([])
            os.setgid(int(uid[0]))
            os.setuid(int(uid[0]))
        for path in paths.split(","):
            print(_called(channel, path))


def _called(channel: grpc.Channel, path: str) -> str:
    try:
        method: Any = channel.unary_stream(path)
        list(method(b"", timeout=60))
        return "OK"
    except grpc.RpcError as error:
        return f"{error.code().name} {error.details()}"


main()
