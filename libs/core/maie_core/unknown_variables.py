"""Names variables in the environment that look like settings and are none, such as old ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

import structlog

from maie_core.settings import Settings, setting_names, setting_prefixes

log = structlog.get_logger()

# Read, but not by a class of settings: by the client and the CLI, by failpoints, and by vLLM's own
# processes.
_OTHER_VARIABLES = frozenset(
    {
        "MAIE_GATEWAY",
        "MAIE_CA_FILE",
        "MAIE_TENANT",
        "MAIE_API_KEY",
        "MAIE_API_KEY_FILE",
        "MAIE_TLS",
        "MAIE_MODELS_FROM",
        "MAIE_MODELS_FROM_FILE",
        "MAIE_FAULT",
        "MAIE_FAULT_MARK",
        "MAIE_VLLM_CAUSE",
    }
)
# Settings of some parts whose prefix does not name the part.
_OF_SOME_PARTS = (
    "MAIE_RETENTION_",
    "MAIE_FETCH_",
    "MAIE_TEMPLATES_",
    "MAIE_WEBHOOKS_",
    "MAIE_JWT_",
    "MAIE_WEB_",
)
# What Kubernetes sets for a service such as maie-gateway.
_SERVICE_LINK = re.compile(
    r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$"
)


def warn_of_unknown_variables(parts: Iterable[str]) -> None:
    """Logs one warning that names the unknown variables, if there are any.

    Args:
        parts: The names of all parts of a mesh, such as "gateway" and "asr".
    """
    if unknown := unknown_variables(parts, os.environ):
        log.warning(
            "settings.unknown_variables",
            variables=unknown,
            remedy="They have no effect: no setting has these names. docs/settings.md lists all.",
        )


def unknown_variables(
    parts: Iterable[str], environment: Mapping[str, str], base: type[Settings] = Settings
) -> list[str]:
    """The MAIE_ variables that no setting reads, sorted.

    Parts may share one environment, so variables with the prefix of another part are left to it.

    Args:
        parts: The names of all parts of a mesh.
        environment: The environment.
        base: The settings of this process are its subclasses.
    """
    known = setting_names(base) | _OTHER_VARIABLES
    prefixes = {*_OF_SOME_PARTS, *(f"MAIE_{part.upper()}_" for part in parts)}
    of_others = tuple(prefixes.difference(setting_prefixes(base).values()))
    return sorted(
        name
        for name in environment
        if name.startswith("MAIE_")
        and name not in known
        and not name.startswith(of_others)
        and not _SERVICE_LINK.search(name)
    )
