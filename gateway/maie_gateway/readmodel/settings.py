"""The read model's settings; `MAIE_GATEWAY_READ_MODEL_` in the environment."""

from __future__ import annotations

from pydantic import field_validator
from pydantic_settings import SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from maie_core.redaction import masked_url
from maie_core.secret_settings import SecretText
from maie_core.settings import Settings

BACKENDS = ("sqlite", "postgresql")


class ReadModelSettings(Settings):
    """The database for lists and search."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_READ_MODEL_")

    url: SecretText = "sqlite://"
    """The database: `sqlite:///FILE`, one file for each gateway; `sqlite://` in memory, rebuilt at
    each start; or `postgresql://USER:PASSWORD@HOST/NAME`, which gateways share."""

    @property
    def in_memory(self) -> bool:
        """Whether the database is lost when its process ends."""
        return make_url(self.url).database in (None, "", ":memory:")

    @property
    def in_file(self) -> bool:
        """Whether the database is a file of this process, which is not encrypted."""
        return make_url(self.url).get_backend_name() == "sqlite" and not self.in_memory

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        try:
            backend = make_url(url).get_backend_name()
        except (ArgumentError, ValueError):
            raise ValueError(f"{masked_url(url)} is not the URL of a database") from None
        if backend not in BACKENDS:
            raise ValueError(f"{masked_url(url)}: the read model needs sqlite or postgresql")
        return url
