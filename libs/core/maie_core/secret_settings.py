"""Settings that are secrets: never shown, and taken from a file where one is named.

A setting is a secret where its type is `SecretStr`, or where it is marked: a URL that may hold a
password, or a structure with secrets in it. Each can also come from a file, as Kubernetes mounts
its Secrets: `NAME_FILE` names the file with the value of `NAME`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource, SettingsError

from maie_core.redaction import FILE


class SecretMark:
    """Marks a setting that is a secret, or may hold one."""


SecretText = Annotated[str, SecretMark()]
"""A text that may hold a secret, such as a URL with a password."""


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is a secret."""
    if any(isinstance(mark, SecretMark) for mark in field.metadata):
        return True
    return SecretStr in (field.annotation, *get_args(field.annotation))


class SecretFiles(PydanticBaseSettingsSource):
    """Reads secrets from the files that `NAME_FILE` names in the environment.

    Raises:
        SettingsError: A file cannot be used, or the variable itself is set as well. The text names
            variable and file, and no value.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of a secret from its file; None where none is named."""
        name = f"{self.settings_cls.model_config.get('env_prefix', '')}{field_name}".upper()
        file = os.environ.get(f"{name}{FILE}", "") if is_secret(field) else ""
        if not file:
            return None, field_name, False
        if os.environ.get(name):
            raise SettingsError(f"{name} and {name}{FILE} exclude each other: set one")
        return _read(f"{name}{FILE}", file), field_name, self.field_is_complex(field)

    def __call__(self) -> dict[str, Any]:
        """The values of all secrets that come from files, by field."""
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            text, _, is_json = self.get_field_value(field, name)
            if text is not None:
                found[name] = self._parsed(name, text) if is_json else text
        return found

    def _parsed(self, name: str, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            prefix = self.settings_cls.model_config.get("env_prefix", "")
            # Not "from" the error, which holds the text.
            raise SettingsError(
                f"{prefix}{name}{FILE}".upper() + " names a file that is no valid JSON"
            ) from None


def _read(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        problem = "it is no text"
    raise SettingsError(f"{name} names {file}, which cannot be read: {problem}")
