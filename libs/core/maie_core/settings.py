"""Settings: one frozen class for each service, read once from the environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from maie_core.models import DEFAULT_MODELS_DIR
from maie_core.redaction import FILE, SHOWN, masked_url
from maie_core.secret_settings import SecretFiles, SecretText, is_secret

SettingsT = TypeVar("SettingsT", bound="Settings")
# pydantic-settings' message for a field with invalid JSON.
_FIELD = re.compile(r'for field "(\w+)"')
_REMEDY = "Change it, or leave it unset; docs/settings.md lists all settings."
# A valid NATS subject token.
_GPU_NAME = r"[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*"


_NATS_SCHEMES = ("nats", "tls", "ws", "wss")
# JetStream's ack_wait for tasks.
ACK_WAIT_SECONDS = 15.0


class Settings(BaseSettings):
    """The base of all settings: frozen, read from the environment, documented by docstrings.

    Secrets come from files as well, and are left out where settings are printed.
    """

    model_config = SettingsConfigDict(
        frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where settings come from, what counts most first."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What is printed: all but secrets."""
        for name, value in super().__repr_args__():
            yield name, SHOWN if name is not None and self._is_hidden(name) else value

    @model_serializer(mode="wrap")
    def _without_secrets(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What `model_dump` gives: all but secrets."""
        found: dict[str, Any] = dump(self)
        return {name: SHOWN if self._is_hidden(name) else found[name] for name in found}

    def _is_hidden(self, name: str) -> bool:
        field = type(self).model_fields.get(name)
        return field is not None and is_secret(field) and bool(getattr(self, name))


def load_settings(kind: type[SettingsT]) -> SettingsT:
    """Reads a service's settings; exits with status 2 and a line for each invalid one."""
    try:
        return kind()
    except (ValidationError, SettingsError) as error:
        for problem in settings_problems(error):
            print(f"error: {problem}", file=sys.stderr)
        sys.exit(2)


def settings_problems(error: ValueError) -> list[str]:
    """A sentence for each invalid setting: the variable, and its valid values.

    Other errors keep their own text. The sentences do not contain the values,
    since some are secrets.
    """
    if isinstance(error, ValidationError):
        # A nested class reads its own variables and fails with its own name.
        prefix = setting_prefixes(Settings).get(error.title, "")
        return [_problem(prefix, problem) for problem in error.errors()]
    if not isinstance(error, SettingsError):
        return [" ".join(str(error).split())]
    found = _FIELD.search(str(error))
    if found is None:
        return [f"{error}. {_REMEDY}"]
    field = found[1].upper()
    names = {
        f"{prefix}{field}" for prefix in setting_prefixes(Settings).values()
    } & os.environ.keys()
    return [f"{' or '.join(sorted(names)) or error} is no valid JSON. {_REMEDY}"]


def _problem(prefix: str, problem: ErrorDetails) -> str:
    name = "_".join(str(part) for part in problem["loc"]).upper()
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{prefix}{name}: {message}. {_REMEDY}" if name else f"{message}. {_REMEDY}"


def is_gpu_name(name: str) -> bool:
    """Whether a shared GPU may have this name."""
    return re.fullmatch(_GPU_NAME, name) is not None


def setting_prefixes(kind: type[Settings]) -> dict[str, str]:
    """The environment prefixes of a class and its subclasses, by class name."""
    found = {kind.__name__: kind.model_config.get("env_prefix", "")}
    for derived in kind.__subclasses__():
        found |= setting_prefixes(derived)
    return found


def setting_names(kind: type[Settings]) -> set[str]:
    """The environment variables that a class and its subclasses read."""
    prefix = kind.model_config.get("env_prefix", "")
    found = {f"{prefix}{field}".upper() for field in kind.model_fields}
    found |= {
        f"{prefix}{name}{FILE}".upper()
        for name, field in kind.model_fields.items()
        if is_secret(field)
    }
    return found.union(*(setting_names(derived) for derived in kind.__subclasses__()))


def _unset_if_empty(value: object) -> object:
    return None if value == "" else value


FileSetting = Annotated[Path | None, BeforeValidator(_unset_if_empty)]
"""A file that is named or not; an empty variable names none."""


class MeshSettings(Settings):
    """Settings of every part of a mesh; `MAIE_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_")

    nats_url: SecretText = "nats://127.0.0.1:4222"
    """The URL of NATS with JetStream; several servers separated by commas."""
    nats_nkey_file: Path | None = None
    """The file with the seed of this part's nkey, which `maie nats config` makes; each part has its
    own. Unset: NATS asks for none."""
    nats_ca_file: Path | None = None
    """The CA of the certificate of NATS, in PEM; the connection is then TLS. Unset: with a
    `tls://` URL, the CAs of the machine."""
    nats_cert_file: Path | None = None
    """This part's own certificate for NATS, in PEM, where NATS asks for one."""
    nats_key_file: Path | None = None
    """The private key of MAIE_NATS_CERT_FILE."""
    ack_wait_seconds: float = Field(default=ACK_WAIT_SECONDS, ge=1)
    """Redeliver a task after this long without a heartbeat (JetStream ack_wait). All parts of a
    mesh need the same value."""
    tls_cert_file: FileSetting = None
    """This part's certificate for TLS with the other parts, as PEM, with those between it and the
    CA; `maie certs` makes one. Where set, all gRPC of this part is over TLS. Files that change are
    read again, without a restart."""
    tls_key_file: FileSetting = None
    """The private key of MAIE_TLS_CERT_FILE, as PEM without a password."""
    tls_ca_file: FileSetting = None
    """The certificates of the mesh's own CA, as PEM: only what it signed is let in and trusted."""
    blob_url: str = "file:///var/lib/maie/blobs"
    """The object store for recordings and results: `file:///DIR` or `s3://BUCKET/PREFIX`."""
    models_dir: Path = DEFAULT_MODELS_DIR
    """The directory of `maie models pull`, where engines look for their default models."""
    log_format: Literal["json", "console"] = "json"
    """The format of log lines: JSON, or readable text."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The minimum level of log lines."""
    metrics_listen: str = Field(default="", pattern=r"^(.+:\d{1,5})?$")
    """The HOST:PORT at which this process serves its metrics to Prometheus, at `/metrics` over
    HTTP; port 0 takes a free one, empty serves none. Under `maie up` the gateway listens there,
    and the workers at free ports of the same host; `DATA/run/metrics.json` lists them all."""
    metrics_tenants: int = Field(default=50, ge=0, le=1000)
    """The most tenants that have time series of their own in a gateway's metrics; all further ones
    count together as `other`."""
    health_file: FileSetting = None
    """A file that says whether this process serves, new every two seconds, for probes that cannot
    call it: `python -m maie_runtime.probe FILE`. Each process needs one of its own."""
    shutdown_grace_seconds: float = Field(default=20.0, gt=0)
    """How long running work may continue after SIGTERM before it is returned to the queue."""

    @field_validator("nats_url")
    @classmethod
    def _is_of_nats(cls, url: str) -> str:
        if not all(_names_nats(server) for server in url.split(",")):
            raise ValueError(
                f"{masked_url(url)} is no URL of NATS: write nats://HOST:PORT or tls://HOST:PORT, "
                "several with commas between; in a password, write %2F for /, %23 for #, %2C for a "
                "comma and %3F for ?"
            )
        return url

    @field_validator("blob_url")
    @classmethod
    def _names_a_store(cls, url: str) -> str:
        return checked_blob_url(url)

    @model_validator(mode="after")
    def _name_all_of_tls(self) -> Self:
        named = (self.tls_cert_file, self.tls_key_file, self.tls_ca_file)
        if any(named) and not all(named):
            raise ValueError(
                "MAIE_TLS_CERT_FILE, MAIE_TLS_KEY_FILE and MAIE_TLS_CA_FILE belong together: set "
                "all three"
            )
        return self


def checked_blob_url(url: str) -> str:
    """The URL of an object store, which holds no secret.

    Raises:
        ValueError: It is none.
    """
    try:
        parts = urlsplit(url)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        plain = False
    if not plain or not parts.scheme:
        raise ValueError(
            f"{masked_url(url)} is no URL of an object store: write file:///DIR or "
            "s3://BUCKET/PREFIX, without user, password or query; the credentials of S3 are in "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return url


def _names_nats(server: str) -> bool:
    """Whether it is the URL of a server of NATS, or HOST:PORT."""
    try:
        parts = urlsplit(server if "://" in server else f"nats://{server}")
        place = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    rest = parts.path.strip("/") or parts.query or parts.fragment
    return bool(parts.scheme in _NATS_SCHEMES and place and not rest and server == server.strip())


class ServiceSettings(Settings):
    """Settings of every stage service; `MAIE_STAGE_` in the environment.

    A service derives its own class, sets its own `env_prefix` and defaults.
    """

    mesh: MeshSettings = Field(default_factory=MeshSettings)
    """Settings of every part of the mesh."""
    rpc: Literal["on", "off"] = "on"
    """`off`: the service opens no port, and works on tasks from the queue only."""
    listen: str = "127.0.0.1:0"
    """The address that gRPC listens on; port 0 takes a free one. Others than 127.0.0.1 and ::1 need
    MAIE_TLS_CERT_FILE, MAIE_TLS_KEY_FILE and MAIE_TLS_CA_FILE."""
    advertise: str = ""
    """The address for other services; empty: `listen`."""
    instance: str = ""
    """The worker's name; empty: made from stage, host and process."""
    slots: int = Field(default=1, ge=1, le=64)
    """The number of units and direct calls that the worker runs concurrently."""
    interactive_slots: int = Field(default=0, ge=0)
    """The slots that take no batch work; fewer than `slots`. Direct calls take any slot."""
    unit_deadline_seconds: float = Field(default=1800.0, gt=0)
    """The deadline of a unit or direct call, after which it is stopped and fails."""
    stall_seconds: float = Field(default=300.0, gt=0)
    """A unit or direct call is stopped and fails after this long without a heartbeat of its stage.
    A direct call also waits at most this long for a slot."""
    cancel_grace_seconds: float = Field(default=5.0, gt=0)
    """A worker whose engine does not stop within this time ends with status 70, for a restart."""
    max_deliveries: int = Field(default=3, ge=1)
    """A unit fails for good after this many lost workers."""

    @field_validator("interactive_slots")
    @classmethod
    def _leave_a_slot_for_batch(cls, reserved: int, info: ValidationInfo) -> int:
        if reserved >= info.data.get("slots", reserved + 1):
            raise ValueError("must be less than slots, or batch work would never run")
        return reserved

    @property
    def shared_gpu(self) -> str:
        """The name of the service's shared GPU; empty for none."""
        return ""

    def check(self) -> None:
        """Checks the settings before the start.

        Raises:
            StageError: FAILED_PRECONDITION, such as with ENGINE_NOT_FOUND.
        """


class GpuServiceSettings(ServiceSettings):
    """Settings of stage services whose model may be in a GPU."""

    residency: Literal["resident", "shared-gpu"] = "resident"
    """`resident` keeps the model in memory. With `shared-gpu`, services with the same `gpu` lease
    it in turn: each loads its model, works and unloads it before the next one loads its own."""
    gpu: str = Field(default="", validate_default=True, pattern=rf"^({_GPU_NAME})?$")
    """The name of the shared GPU, the same in all services that share it, such as `node-1/0`, and
    unique in the mesh."""
    lease_seconds: float = Field(default=60.0, gt=0)
    """The longest lease of a shared GPU while others wait for it. An idle service keeps its model
    for this long if nobody waits."""

    @field_validator("gpu")
    @classmethod
    def _name_what_is_shared(cls, gpu: str, info: ValidationInfo) -> str:
        if info.data.get("residency") == "shared-gpu" and not gpu:
            raise ValueError("name the GPU that is shared, such as node-1/0")
        return gpu

    @property
    def shared_gpu(self) -> str:
        """The name of the service's shared GPU; empty for none."""
        return self.gpu if self.residency == "shared-gpu" else ""
