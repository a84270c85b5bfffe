"""The reasons that the client itself knows; docs/reasons.md explains them."""

from __future__ import annotations

import enum


class ClientReason(enum.StrEnum):
    """A part of the registry of reasons; the client does not depend on the mesh."""

    ADDRESS_INVALID = "ADDRESS_INVALID"
    AUDIO_PART_INVALID = "AUDIO_PART_INVALID"
    BLOB_CORRUPT = "BLOB_CORRUPT"
    CERTIFICATE_INVALID = "CERTIFICATE_INVALID"
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID"
    FEATURE_UNKNOWN = "FEATURE_UNKNOWN"
    GATEWAY_UNREACHABLE = "GATEWAY_UNREACHABLE"
    LIVE_BUSY = "LIVE_BUSY"
    LIVE_UNAVAILABLE = "LIVE_UNAVAILABLE"
    NOT_A_GATEWAY = "NOT_A_GATEWAY"
    SESSION_ENDED = "SESSION_ENDED"
    STREAM_ENDED = "STREAM_ENDED"
    STREAM_OUT_OF_ORDER = "STREAM_OUT_OF_ORDER"
    TENANT_INVALID = "TENANT_INVALID"
    TLS_FAILED = "TLS_FAILED"
    TOKEN_UNPROTECTED = "TOKEN_UNPROTECTED"  # noqa: S105 - a name, no password
    TRACKS_FULL = "TRACKS_FULL"
