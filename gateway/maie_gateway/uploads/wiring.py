"""Wires the parts of resumable uploads."""

from __future__ import annotations

from datetime import timedelta

from maie_gateway.intake.admission import Admission
from maie_gateway.intake.pace import UploadLimits
from maie_gateway.intake.submission import Submissions
from maie_gateway.records.store import JobStore
from maie_gateway.uploads.finishing import Finishing
from maie_gateway.uploads.lifetime import Lifetime
from maie_gateway.uploads.store import UploadStore
from maie_gateway.uploads.uploads import Uploads
from maie_gateway.vault.data_keys import JobKeys
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker


def resumable_uploads(
    *,
    broker: Broker,
    blobs: Blobs,
    jobs: JobStore,
    keys: JobKeys,
    submissions: Submissions,
    admission: Admission,
    limits: UploadLimits,
    most_unfinished: int,
    kept: timedelta,
) -> tuple[Uploads, Finishing]:
    """What takes uploads, and what makes jobs of them.

    Args:
        broker: Has the records of uploads.
        blobs: Has their bytes.
        jobs: The job records.
        keys: Makes the key of an upload, which is that of its job.
        submissions: Makes the jobs.
        admission: Limits concurrent uploads and unfinished jobs.
        limits: The limits on one call that appends; `max_bytes` is that of a recording.
        most_unfinished: How many uploads that are no jobs yet a tenant may have.
        kept: How long an upload is kept after its last bytes.
    """
    store = UploadStore(broker)
    lifetime = Lifetime(kept)
    uploads = Uploads(
        store=store,
        blobs=blobs,
        jobs=jobs,
        keys=keys,
        submissions=submissions,
        admission=admission,
        limits=limits,
        most_unfinished=most_unfinished,
        lifetime=lifetime,
    )
    finishing = Finishing(
        store=store,
        blobs=blobs,
        jobs=jobs,
        submissions=submissions,
        max_bytes=limits.max_bytes,
        lifetime=lifetime,
    )
    return uploads, finishing
