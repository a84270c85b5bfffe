"""Calls a server as another user of the machine; prints the status, and the error's message.

Usage: python other_user.py HOST:PORT PATH [UID]
"""

import os
import sys
from typing import Any

import grpc


def main() -> None:
    """One call with an empty request."""
    address, path, *uid = sys.argv[1:]
    # It connects with the first call. What else Python imports may be unreadable to the other user.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        if uid:
            os.setgroups([])
            os.setgid(int(uid[0]))
            os.setuid(int(uid[0]))
        try:
            method: Any = channel.unary_stream(path)
            list(method(b"", timeout=60))
            print("OK")
        except grpc.RpcError as error:
            print(error.code().name, error.details())


main()
