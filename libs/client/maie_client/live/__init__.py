"""Live speech: text while somebody speaks."""

from maie_client.live.options import LiveOptions, linear16
from maie_client.live.resume import ResumePoint
from maie_client.live.session import LiveSession

__all__ = ["LiveOptions", "LiveSession", "ResumePoint", "linear16"]
