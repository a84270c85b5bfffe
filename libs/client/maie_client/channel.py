"""Opens gRPC channels."""

from __future__ import annotations

import ipaddress

import grpc

# The result of a job of many hours with word times has tens of megabytes.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
# A ping and its timeout detect a frozen gateway. `grpc.keepalive_timeout_ms` has no effect.
# Gateways disconnect clients that ping more often than every 10 s.
PING_EVERY_MS = 12_000
PING_TIMEOUT_MS = 5_000
# gRPC's default back-off of up to two minutes is longer than a gateway's restart.
RECONNECT_MS = 200
MAX_RECONNECT_MS = 2_000
# How long a connection may take to be made, in spite of the option's name.
CONNECT_MS = 5_000
# What a name or a list may stand for: several gateways, among which calls are spread.
SEVERAL = ("dns:", "ipv4:", "ipv6:")
ROUND_ROBIN = '{"loadBalancingConfig": [{"round_robin": {}}]}'


def open_channel(
    address: str,
    credentials: grpc.ChannelCredentials | None = None,
    *,
    server_name: str = "",
    alone: bool = False,
) -> grpc.aio.Channel:
    """Opens a channel; connects on first use.

    Args:
        address: HOST:PORT; or, for several gateways, a name or a list as gRPC writes them, such as
            dns:NAME:PORT or ipv4:HOST:PORT,HOST:PORT.
        credentials: For TLS; unset: a plain connection.
        server_name: The name in the server's certificate; empty: the address's host.
        alone: Whether it has a connection of its own, where gRPC would share one with other
            channels of this process.
    """
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", PING_EVERY_MS),
        ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_MS),
        ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS),
        ("grpc.min_reconnect_backoff_ms", CONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    ]
    if address.startswith(SEVERAL):
        options.append(("grpc.service_config", ROUND_ROBIN))
    if server_name:
        options.append(("grpc.ssl_target_name_override", server_name))
    if alone:
        options.append(("grpc.use_local_subchannel_pool", 1))
    if is_loopback(address):  # the environment's proxy cannot reach it
        options.append(("grpc.enable_http_proxy", 0))
    if credentials is None:
        return grpc.aio.insecure_channel(address, options)
    return grpc.aio.secure_channel(address, credentials, options)


def is_loopback(address: str) -> bool:
    """Whether a HOST:PORT is of this machine alone."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
