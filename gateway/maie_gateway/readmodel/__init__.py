"""Lists and search over all jobs, answered from a database.

JetStream is the source of truth: the database is filled from the job records that
a gateway watches and from stored results, has no data of its own, and can be
rebuilt at any time (`python -m maie_gateway.readmodel`).
"""

from __future__ import annotations

from maie_gateway.readmodel.entries import JobEntry, job_entry
from maie_gateway.readmodel.model import ReadModel, open_read_model
from maie_gateway.readmodel.moments import JobText, TextMoment, text_moments
from maie_gateway.readmodel.projector import Projector
from maie_gateway.readmodel.settings import ReadModelSettings

__all__ = [
    "JobEntry",
    "JobText",
    "Projector",
    "ReadModel",
    "ReadModelSettings",
    "TextMoment",
    "job_entry",
    "open_read_model",
    "text_moments",
]
