"""The connection to a server outside the mesh."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import grpc

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.background import end
from maie_runtime.rpc.callers.local_user import is_loopback
from maie_runtime.rpc.kserve.settings import InferenceServerSettings
from maie_runtime.rpc.tls import channel_credentials, open_certificates

# gRPC's default back-off of up to two minutes is longer than a server's restart.
RECONNECT_MS = 200
MAX_RECONNECT_MS = 2_000
_MAX_TOKEN_BYTES = 64 * 1024

Metadata = tuple[tuple[str, str], ...]


class Connection:
    """A channel; another one where the files of certificates have changed.

    Args:
        settings: The server.
        max_answer_bytes: The longest message that is read of it.

    Raises:
        StageError: FAILED_PRECONDITION with CERTIFICATE_INVALID.
    """

    def __init__(self, settings: InferenceServerSettings, max_answer_bytes: int) -> None:
        self._settings = settings
        self._options: Sequence[tuple[str, int | str]] = (
            ("grpc.max_receive_message_length", max_answer_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS),
            # How long a connection may take to be made, in spite of the option's name.
            ("grpc.min_reconnect_backoff_ms", round(settings.connect_seconds * 1000)),
            ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
            # Channels of one process with the same address would share a connection.
            ("grpc.use_local_subchannel_pool", 1),
            # The environment's proxy cannot reach this machine.
            ("grpc.enable_http_proxy", 0 if is_loopback(settings.address) else 1),
        )
        if settings.server_name:
            name = ("grpc.ssl_target_name_override", settings.server_name)
            self._options = (*self._options, name)
        self._files = (
            open_certificates(settings.cert_file, settings.key_file, settings.ca_file)
            if settings.tls
            else None
        )
        self._number = 0
        self._channel: grpc.aio.Channel | None = None
        self._former: dict[asyncio.Task[None], grpc.aio.Channel] = {}

    def channel(self) -> grpc.aio.Channel:
        """The channel; connects on first use."""
        if self._files is None:
            if self._channel is None:
                self._channel = grpc.aio.insecure_channel(self._settings.address, self._options)
            return self._channel
        loaded = self._files.current()
        if self._channel is None or loaded.number != self._number:
            if self._channel is not None:
                self._retire(self._channel)
            self._number = loaded.number
            self._channel = grpc.aio.secure_channel(
                self._settings.address, channel_credentials(loaded), self._options
            )
        return self._channel

    async def metadata(self) -> Metadata:
        """What says who calls, as the token's file has it now.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_ACCESS_DENIED.
        """
        path = self._settings.token_file
        if path is None:
            return ()
        try:
            token = await asyncio.to_thread(_read_token, path)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it holds no token"
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.MODEL_ACCESS_DENIED,
                f"The token for the inference server cannot be read from {path}: {why}; correct "
                f"{self._settings.variable('token_file')}.",
            ) from None
        header = self._settings.token_header
        return ((header, f"Bearer {token}" if header == "authorization" else token),)

    async def close(self) -> None:
        """Closes it, and ends its calls."""
        former = dict(self._former)
        await end(*former)
        current = () if self._channel is None else (self._channel,)
        await asyncio.gather(*(each.close() for each in (*former.values(), *current)))

    def _retire(self, channel: grpc.aio.Channel) -> None:
        """Closes a channel once its calls have ended, which they do in time."""
        task = asyncio.create_task(channel.close(self._settings.call_seconds))
        self._former[task] = channel
        task.add_done_callback(self._former.pop)


def _read_token(path: object) -> str:
    with open(str(path), "rb") as file:
        token = file.read(_MAX_TOKEN_BYTES + 1)
    text = token.decode("ascii").strip()
    if not text or len(token) > _MAX_TOKEN_BYTES or not text.isprintable():
        raise ValueError
    return text
