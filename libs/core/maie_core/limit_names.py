"""The names of the limits on callers: `ErrorInfo.metadata["limit"]`, and a label of metrics."""

from __future__ import annotations

import enum


class Limit(enum.StrEnum):
    """Which limit refused a call."""

    ADDRESS_FAILED_CREDENTIALS = "address_failed_credentials"
    """Calls a minute with wrong or no credentials, from one address."""
    ADDRESS_HEALTH_WATCHES = "address_health_watches"
    """Watches of a gateway's health that run, from one address."""
    KEY_REQUESTS = "key_requests"
    """Calls a second with one key or token."""
    TENANT_REQUESTS = "tenant_requests"
    """Calls a second of one tenant."""
    KEY_STREAMS = "key_streams"
    """Streams of one key or token that run."""
    TENANT_STREAMS = "tenant_streams"
    """Streams of one tenant that run."""
    KEY_WATCHES = "key_watches"
    """Watches of jobs of one key or token."""
    TENANT_WATCHES = "tenant_watches"
    """Watches of jobs of one tenant."""
    KEY_UPLOADS = "key_uploads"
    """Uploads with one key or token that are under way."""
    TENANT_UPLOADS = "tenant_uploads"
    """Uploads of one tenant that are under way."""
    GATEWAY_UPLOADS = "gateway_uploads"
    """Uploads of all tenants that are under way."""
    TENANT_UNFINISHED_UPLOADS = "tenant_unfinished_uploads"
    """Resumable uploads of one tenant that are no jobs yet."""
    TENANT_JOBS = "tenant_jobs"
    """Unfinished jobs of one tenant."""
    MESH_JOBS = "mesh_jobs"
    """Unfinished jobs of all tenants."""
    TENANT_SESSIONS = "tenant_sessions"
    """Live sessions of one tenant."""
    GATEWAY_SESSIONS = "gateway_sessions"
    """Live sessions of all tenants."""
    TENANT_AUDIO_HOURS = "tenant_audio_hours"
    """Hours of audio of one tenant in a day."""
