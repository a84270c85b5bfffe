"""A master key in AWS KMS, or in a service with its API; `awskms:///KEY` in the setting.

The key never leaves the service: a gateway sends the ring to be encrypted or decrypted when it
starts. Credentials come from where AWS's libraries look for them, as for the object store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.redaction import environment_redactor, names_user
from maie_gateway.vault.master_key import master_key_invalid, master_key_unavailable

CONNECT_SECONDS = 3
READ_SECONDS = 5
# A service that throttles or fails over answers a little later.
ATTEMPTS = 3
# Authenticated, and shown in the service's log of uses.
CONTEXT = {"purpose": "maie ring"}
MAGIC = b"awskms1"
LENGTH_BYTES = 2
# Of what the service says, in characters.
SHOWN = 300
RIGHTS = "kms:DescribeKey, kms:Encrypt and kms:Decrypt"
_DISABLED = frozenset({"DisabledException", "KMSInvalidStateException"})
_BUSY = frozenset(
    {
        "DependencyTimeoutException",
        "KMSInternalException",
        "KeyUnavailableException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_OF_ANOTHER_KEY = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})


@dataclass(kw_only=True, frozen=True, slots=True)
class KeyPlace:
    """Where a key is.

    Attributes:
        key: Its ARN, its id, or its alias as `alias/NAME`.
        region: The region; None where AWS_REGION or AWS's configuration names it.
        endpoint: The URL of the service; None for that of AWS.
    """

    key: str
    region: str | None
    endpoint: str | None


def key_place(setting: str) -> KeyPlace:
    """Reads a setting such as `awskms:///alias/maie?region=eu-central-1&endpoint=https://HOST`.

    Raises:
        StageError: FAILED_PRECONDITION with MASTER_KEY_INVALID.
    """
    url = urlsplit(setting)
    asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
    region, endpoint = asked.pop("region", None), asked.pop("endpoint", None)
    if asked:
        raise master_key_invalid(f"awskms: knows region and endpoint, and not {', '.join(asked)}")
    if names_user(setting) or (endpoint is not None and not _is_plain(endpoint)):
        raise master_key_invalid(
            "awskms: an endpoint is a URL such as https://HOST, without user and password; AWS's "
            "own variables have the credentials"
        )
    key = f"{url.netloc}{url.path}".strip("/")
    if not key:
        raise master_key_invalid("awskms: names no key; write awskms:///KEY")
    if region is None and key.startswith("arn:"):
        region = (key.split(":") + [""] * 4)[3] or None
    return KeyPlace(key=key, region=region, endpoint=endpoint)


def _is_plain(endpoint: str) -> bool:
    """Whether it is a URL without a user or password."""
    try:
        parts = urlsplit(endpoint)
        named = parts.username or parts.password
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not named
    except ValueError:
        return False


@asynccontextmanager
async def open_aws_key(setting: str) -> AsyncIterator[AwsKey]:
    """The key that a setting names, looked at: it is there, enabled, and may be used.

    Raises:
        StageError: As `AwsKey`; FAILED_PRECONDITION with MASTER_KEY_INVALID: the setting names no
            key that can wrap, or boto3 is not installed.
    """
    place = key_place(setting)
    client = await asyncio.to_thread(_client, place)
    try:
        yield AwsKey(client, await asyncio.to_thread(_described, client, place.key))
    finally:
        client.close()


class AwsKey:
    """A symmetric key of the service.

    Args:
        client: boto3's client of the service.
        arn: The key.

    Raises:
        StageError: UNAVAILABLE with MASTER_KEY_UNAVAILABLE: the service does not answer;
            FAILED_PRECONDITION with MASTER_KEY_DENIED, MASTER_KEY_DISABLED or MASTER_KEY_INVALID.
    """

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    async def wrap(self, secret: bytes) -> bytes:
        """Has the service encrypt."""
        call = self._client.encrypt
        answer = await _call(call, KeyId=self._arn, Plaintext=secret, EncryptionContext=CONTEXT)
        return _named(answer["KeyId"]) + bytes(answer["CiphertextBlob"])

    async def unwrap(self, wrapped: bytes) -> bytes:
        """Has the service decrypt, with the key that the data names."""
        arn, rest = _parted(wrapped)
        call = self._client.decrypt
        answer = await _call(call, KeyId=arn, CiphertextBlob=rest, EncryptionContext=CONTEXT)
        return bytes(answer["Plaintext"])

    def is_current(self, wrapped: bytes) -> bool:
        """Whether this key wrapped it; that the service rotated the key itself does not matter."""
        return wrapped.startswith(_named(self._arn))


def _named(arn: str) -> bytes:
    return MAGIC + len(arn).to_bytes(LENGTH_BYTES, "big") + arn.encode()


def _parted(wrapped: bytes) -> tuple[str, bytes]:
    """The key that data names, and what is encrypted with it."""
    start = len(MAGIC) + LENGTH_BYTES
    if not wrapped.startswith(MAGIC):
        raise master_key_invalid("the jobs were made with a master key of another kind")
    end = start + int.from_bytes(wrapped[len(MAGIC) : start], "big")
    return wrapped[start:end].decode(errors="replace"), wrapped[end:]


def _client(place: KeyPlace) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise master_key_invalid("awskms: needs boto3; install maie-gateway[aws-kms]") from error
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    try:
        # A session of its own: boto3's default one belongs to the whole process.
        return boto3.session.Session().client(
            "kms", region_name=place.region, endpoint_url=place.endpoint, config=config
        )
    except (BotoCoreError, ValueError) as error:
        raise master_key_invalid(f"AWS's library refuses it ({_said(error)})") from error


def _described(client: Any, key: str) -> str:
    """The ARN of a key that can be used."""
    with _errors():
        found = client.describe_key(KeyId=key)["KeyMetadata"]
    if (state := found["KeyState"]) != "Enabled":
        raise _disabled(f"the key service says that {key} is {state}")
    if found.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        raise master_key_invalid(f"{key} is no symmetric key for encryption")
    return str(found["Arn"])


async def _call(call: Callable[..., Mapping[str, Any]], **arguments: Any) -> Mapping[str, Any]:
    with _errors():
        return await asyncio.to_thread(call, **arguments)


@contextmanager
def _errors() -> Iterator[None]:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        HTTPClientError,
        NoCredentialsError,
    )

    try:
        yield
    except ClientError as error:
        raise _refusal(error.response) from error
    except (HTTPClientError, EndpointConnectionError) as error:
        raise master_key_unavailable(_said(error)) from error
    except NoCredentialsError as error:
        raise _denied("there are no credentials of AWS") from error
    except BotoCoreError as error:
        raise master_key_invalid(f"AWS's library refuses it ({_said(error)})") from error


def _said(error: Exception) -> str:
    """What the library says, which may repeat the URL of a proxy, without secrets."""
    return environment_redactor()(str(error))


def _refusal(response: Mapping[str, Any]) -> StageError:
    """The error for an answer that is none."""
    failed = response.get("Error", {})
    # A proxy on the way may answer with a whole page.
    code, message = failed.get("Code", ""), " ".join(failed.get("Message", "").split())
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = environment_redactor()(message)[:SHOWN]  # it may repeat the request
    said = f"the key service says {code}" + (f": {message}" if message else "")
    if code in _DISABLED:
        return _disabled(said)
    if code in _DENIED or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _denied(said)
    if code in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return master_key_unavailable(said)
    if code in _OF_ANOTHER_KEY:
        return master_key_invalid("it is not the key that the jobs were made with")
    return master_key_invalid(said)


def _denied(why: str) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MASTER_KEY_DENIED,
        f"The master key may not be used: {why}. Give the gateway credentials of AWS with {RIGHTS} "
        "for the key.",
    )


def _disabled(why: str) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MASTER_KEY_DISABLED,
        f"The master key cannot be used: {why}. Enable it there, or cancel its deletion; without "
        "it all encrypted jobs are lost.",
    )
