"""The Python client of the maie gateway."""

from grpc import StatusCode

from maie_client.client import Client
from maie_client.config import FEATURES, JobOptions, SharedOptions
from maie_client.errors import ClientError
from maie_client.filters import JobFilters
from maie_client.live import LiveOptions, LiveSession, ResumePoint, linear16
from maie_client.reasons import ClientReason
from maie_client.tls import Tls
from maie_client.upload import Source

__all__ = [
    "FEATURES",
    "Client",
    "ClientError",
    "ClientReason",
    "JobFilters",
    "JobOptions",
    "LiveOptions",
    "LiveSession",
    "ResumePoint",
    "SharedOptions",
    "Source",
    "StatusCode",
    "Tls",
    "linear16",
]
