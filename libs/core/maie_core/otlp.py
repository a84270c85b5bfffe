"""Checks the standard variables of OTLP that may hold secrets, before the SDK reads them.

The SDK takes what it cannot use without an error, and repeats it in its log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from maie_core.redaction import masked_url

_HEADER = re.compile(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*=[^,\r\n]*")


def check_otlp(environment: Mapping[str, str], signal: str) -> None:
    """Checks where a signal is sent, and with which headers.

    Args:
        environment: The variables.
        signal: TRACES or METRICS.

    Raises:
        ValueError: A variable cannot be used; the text names it, and shows no secret.
    """
    for name in (f"OTEL_EXPORTER_OTLP_{signal}_", "OTEL_EXPORTER_OTLP_"):
        _check_headers(f"{name}HEADERS", environment.get(f"{name}HEADERS", ""))
        _check_endpoint(f"{name}ENDPOINT", environment.get(f"{name}ENDPOINT", ""))


def _check_headers(name: str, value: str) -> None:
    for number, header in enumerate(value.split(","), 1):
        if header.strip() and not _HEADER.fullmatch(header):
            raise ValueError(
                f"{name}: header {number} is not NAME=VALUE; write headers with commas between, "
                "and %20 for a space in a value."
            )


def _check_endpoint(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        named = bool(parts.username or parts.password or parts.query)
    except ValueError:
        named = True
    if named:
        raise ValueError(
            f"{name} is {masked_url(value)}; name http://HOST:PORT without user, password or "
            "query, and what the collector asks for in OTEL_EXPORTER_OTLP_HEADERS."
        )
