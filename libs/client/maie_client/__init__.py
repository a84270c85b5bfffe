"""The Python client of the maie gateway."""

from maie_client.client import Client
from maie_client.config import FEATURES, JobOptions
from maie_client.errors import NOT_A_GATEWAY, UNREACHABLE, ClientError
from maie_client.upload import Source

__all__ = [
    "FEATURES",
    "NOT_A_GATEWAY",
    "UNREACHABLE",
    "Client",
    "ClientError",
    "JobOptions",
    "Source",
]
