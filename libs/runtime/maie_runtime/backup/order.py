"""Which streams a backup has, and in which order it ends their copies."""

from __future__ import annotations

from maie_runtime.bus import subjects

ORDER = (
    # As the reconciler looks at them: a task that is gone has an event, and an event that is gone
    # is in the record.
    subjects.TASKS,
    subjects.RETURNS,
    subjects.EVENTS,
    # No receiver of finals is further than the log of its session, and no final is without a note.
    subjects.bucket_stream(subjects.FEEDS),
    # An upload that is a job was one before it says so, and its job can be made again from it.
    subjects.bucket_stream(subjects.UPLOADS),
    subjects.bucket_stream(subjects.JOBS),
    subjects.bucket_stream(subjects.TEMPLATES),
    subjects.bucket_stream(subjects.VOICES),
    subjects.bucket_stream(subjects.TENANTS),
    # What a record refers to was stored before it.
    subjects.NAMES,
    subjects.bucket_stream(subjects.SECRETS),
    subjects.bucket_stream(subjects.DATA_KEYS),
    # A job without its request id would be made again by the same submit.
    subjects.bucket_stream(subjects.REQUESTS),
    subjects.SESSIONS,
    subjects.FINALS,
    subjects.WEBHOOKS,
    subjects.DEAD_LETTERS,
    # The latest, so that a key or a share that was revoked meanwhile is revoked.
    subjects.bucket_stream(subjects.KEYS),
    subjects.bucket_stream(subjects.SHARES),
    subjects.AUDIT,
)
# Who is there now; entries expire within a minute.
LEFT_OUT = (subjects.bucket_stream(subjects.WORKERS), subjects.bucket_stream(subjects.GPUS))
