"""A secret of its own in every place that takes one, and where to look for them."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from maie_core.api_keys import BOOTSTRAP_ID, KeyText, new_key
from maie_core.secret_settings import is_secret
from maie_core.settings import Settings

# Imports every class of settings.
from tools.settings_reference import SECTIONS

NOWHERE = "127.0.0.1:1"
TENANT = "planted"
"""The tenant whose webhooks have planted secrets."""
# `maie up` sets the first two itself, so no part would have what is planted in them; and no gateway
# starts with a master key that there is not.
NOT_IN_A_MESH = (
    "MAIE_NATS_URL",
    "MAIE_GATEWAY_READ_MODEL_URL",
    "MAIE_GATEWAY_MASTER_KEY",
    "MAIE_GATEWAY_EARLIER_MASTER_KEY",
)


def settings_classes(kind: type[Settings] = Settings) -> Iterator[type[Settings]]:
    """Every class that reads variables."""
    assert SECTIONS
    for derived in kind.__subclasses__():
        if derived.model_config.get("env_prefix") and derived.__module__.startswith("maie_"):
            yield derived
        yield from settings_classes(derived)


def secret_settings() -> dict[str, tuple[type[Settings], str]]:
    """The class and field of every setting that is a secret, by its variable."""
    return {
        f"{kind.model_config.get('env_prefix')}{name}".upper(): (kind, name)
        for kind in settings_classes()
        for name, setting in kind.model_fields.items()
        if is_secret(setting)
    }


def _webhooks(secret: str) -> str:
    url = f"https://receiver.example/?token={secret}"
    return json.dumps({TENANT: [{"name": "crm", "url": url, "secret": secret}]})


# The settings that are a key of 32 bytes in Base64, and nothing else.
KEYS = ("MAIE_WEB_SESSION_KEY",)
# The settings that are more than the secret itself.
SHAPES: Mapping[str, Callable[[str], str]] = {
    "MAIE_NATS_URL": f"nats://maie:{{}}@{NOWHERE}".format,
    "MAIE_GATEWAY_READ_MODEL_URL": f"postgresql://maie:{{}}@{NOWHERE}/maie".format,
    "MAIE_GATEWAY_MASTER_KEY": f"vault://{{}}@{NOWHERE}/key".format,
    "MAIE_GATEWAY_EARLIER_MASTER_KEY": f"vault://{{}}@{NOWHERE}/key".format,
    "MAIE_WEBHOOKS_TENANTS": _webhooks,
}
# Of libraries and of the command.
OTHERS: Mapping[str, Callable[[str], str]] = {
    "AWS_ACCESS_KEY_ID": str,
    "AWS_SECRET_ACCESS_KEY": str,
    "AWS_SESSION_TOKEN": str,
    "HF_TOKEN": str,
    "LIVEKIT_API_SECRET": str,
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20{}".format,
    "MAIE_MODELS_FROM": f"http://maie:{{}}@{NOWHERE}".format,
}
PROXIES: Mapping[str, Callable[[str], str]] = {
    "HTTPS_PROXY": f"http://maie:{{}}@{NOWHERE}".format,
    "HTTP_PROXY": f"http://maie:{{}}@{NOWHERE}".format,
}


@dataclass(kw_only=True)
class Planted:
    """Secrets by the places where they were planted.

    Attributes:
        environment: The variables that have them.
        secrets: Each secret, by its place.
    """

    environment: dict[str, str] = field(default_factory=dict, repr=False)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def add(self, name: str, shape: Callable[[str], str] = str) -> None:
        """Plants a secret in a variable."""
        self.secrets[name] = new_secret(name)
        self.environment[name] = shape(self.secrets[name])

    def shown_in(self, text: str) -> set[str]:
        """The places of the secrets that a text shows, as they are or in another writing."""
        return {name for name, secret in self.secrets.items() if _shows(text, secret)}


def new_secret(name: str = "") -> str:
    """A random text that nothing else has in it, for a setting of this name."""
    if name in KEYS:
        return f"Pl4nted{secrets.token_hex(18)}="
    return f"Pl4nted{secrets.token_hex(12)}"


def plant(*, proxies: bool = False) -> Planted:
    """A secret in every setting that is one, and in the variables of libraries and the command."""
    planted = Planted()
    for name in secret_settings():
        planted.add(name, SHAPES.get(name, str))
    for name, shape in {**OTHERS, **(PROXIES if proxies else {})}.items():
        planted.add(name, shape)
    key = KeyText(key_id="0123456789ab", secret=new_secret())
    planted.secrets["MAIE_API_KEY"], planted.environment["MAIE_API_KEY"] = key.secret, key.text
    return planted


def plant_in_a_mesh() -> Planted:
    """As `plant`, for the variables of `maie up` and of commands to its mesh."""
    planted = plant()
    for name in NOT_IN_A_MESH:
        del planted.environment[name], planted.secrets[name]
    # The user who started the mesh needs no key, and one that is not known is refused.
    del planted.environment["MAIE_API_KEY"]
    return planted


def plant_bootstrap_key(planted: Planted, folder: Path) -> Path:
    """Plants the key of a gateway's first caller, in a file."""
    key, file = new_key(BOOTSTRAP_ID), folder / "bootstrap"
    file.write_text(f"{key.text}\n")
    file.chmod(0o600)
    planted.secrets["bootstrap key"] = key.secret
    planted.environment["MAIE_GATEWAY_BOOTSTRAP_KEY_FILE"] = str(file)
    return file


def without_filter(folder: Path) -> dict[str, str]:
    """Variables with which processes log what they say, unfiltered.

    With them, a test sees what the code and its libraries say by themselves; `test_logs.py` sees
    that the filter works.
    """
    (folder / "sitecustomize.py").write_text(
        "from maie_core.redaction import Redactor\nRedactor.__call__ = lambda self, text: text\n"
    )
    return {"PYTHONPATH": str(folder)}


def _shows(text: str, secret: str) -> bool:
    return any(form in text for form in (secret, quote(secret, safe=""), *_encoded(secret)))


def _encoded(secret: str) -> Iterator[str]:
    """A secret within Base64, such as in a header of HTTP, at each of the three places."""
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + secret.encode()).decode()
        yield encoded[4 if before else 0 : -4]
