"""The names of everything in NATS: streams, subjects, consumers and buckets."""

from __future__ import annotations

TASKS = "MAIE_TASKS"
"""Work queue: a unit of work each, removed when a worker has settled it."""
EVENTS = "MAIE_EVENTS"
"""What happened to units; kept for a week, for the conductor and for others."""
DEAD_LETTERS = "MAIE_DEAD_LETTERS"
"""Units that were given up."""
WEBHOOKS = "MAIE_WEBHOOKS"
"""Work queue: what one receiver is to be told of one finished job."""
RETURNS = "MAIE_RETURNS"
"""Deliveries of tasks that a worker gave back in order."""
NAMES = "MAIE_NAMES"
"""What clients call their jobs: a JobNames each, erased with its job."""
JOBS = "maie_jobs"
"""Bucket: a JobRecord under each job's id, and what changed since it was written."""
REQUESTS = "maie_requests"
"""Bucket: a job's id under TENANT.SHA256-OF-THE-REQUEST-ID; forgotten after a while."""
SECRETS = "maie_secrets"
"""Bucket: the WebhookSecrets of a job under JOB.UUID; only gateways read it."""
WORKERS = "maie_workers"
"""Bucket: a WorkerInfo under STAGE.INSTANCE, forgotten unless renewed."""
GPUS = "maie_gpus"
"""Bucket: who holds a shared GPU and who waits for it, forgotten unless renewed."""

CONDUCTOR = "conductor"
"""The durable consumer of EVENTS that all gateways share."""
WEBHOOK_SENDERS = "webhooks"
"""The durable consumer of WEBHOOKS that all gateways share."""
INTERACTIVE = "interactive"
"""The lane of work that somebody waits for; served first."""
BATCH = "batch"
"""The lane of all other work."""
LANES = (INTERACTIVE, BATCH)
"""The lanes in the order in which they are served."""


def task(stage: str, job_id: str, unit: str, lane: str = BATCH) -> str:
    """Where a unit's task goes. Dots of the unit's name become tokens."""
    return f"maie.task.{stage}.{lane}.{job_id}.{unit}"


def tasks_of_stage(stage: str, lane: str = BATCH) -> str:
    """All tasks of a stage."""
    return f"maie.task.{stage}.{lane}.>"


def tasks_of_job(job_id: str) -> str:
    """All tasks of a job."""
    return f"maie.task.*.*.{job_id}.>"


def worker_consumer(stage: str, lane: str = BATCH) -> str:
    """The durable consumer that a stage's workers share."""
    return f"{stage}-{lane}"


def event(stage: str, job_id: str) -> str:
    """Where workers of a stage publish durable events of a unit."""
    return f"maie.event.{stage}.{job_id}"


def stage_of_event(subject: str) -> str:
    """The stage in the subject of an event."""
    return subject.split(".")[2]


def dead_letter(stage: str, job_id: str) -> str:
    """Where a unit that was given up goes."""
    return f"maie.dead.{stage}.{job_id}"


def webhook(job_id: str, receiver: str) -> str:
    """Where what one receiver is to be told goes."""
    return f"maie.webhook.{job_id}.{receiver}"


def webhooks_of_job(job_id: str) -> str:
    """All that is still to be told of a job."""
    return f"maie.webhook.{job_id}.>"


def returned(job_id: str, task_sequence: int | str, delivery: str) -> str:
    """Where a worker notes that it gave back a delivery of a task; `*` for all of a task's."""
    return f"maie.return.{job_id}.{task_sequence}.{delivery}"


def returned_of_job(job_id: str) -> str:
    """All notes on tasks of a job that were given back."""
    return f"maie.return.{job_id}.>"


def names(job_id: str) -> str:
    """Where what the client calls a job is; `*` for all jobs."""
    return f"maie.names.{job_id}"


def progress(job_id: str) -> str:
    """Where a job's progress is told to whoever listens; not stored."""
    return f"maie.progress.{job_id}"


def cancel(job_id: str) -> str:
    """Where workers hear that a job was cancelled; not stored."""
    return f"maie.cancel.{job_id}"


def gpu_holder(gpu: str) -> str:
    """The key of the service that holds a shared GPU."""
    return f"holder.0.{gpu}"


def gpu_asking(gpu: str) -> str:
    """The key whose revisions are the numbers that services wait with."""
    return f"asking.0.{gpu}"


def gpu_waiting(gpu: str, number: int) -> str:
    """The key of a service that waits for a shared GPU with a number."""
    return f"waiting.{number}.{gpu}"


def gpu_keys(gpu: str) -> str:
    """All keys of a shared GPU."""
    return f"*.*.{gpu}"


def gpu_news(gpu: str) -> str:
    """Where services hear that something changed about a shared GPU; not stored."""
    return f"maie.gpu.{gpu}"


def bucket_stream(bucket: str) -> str:
    """The stream that holds a bucket."""
    return f"KV_{bucket}"


def bucket_subject(bucket: str, key: str) -> str:
    """Where the entry of a key is within its bucket's stream."""
    return f"$KV.{bucket}.{key}"


def direct_get(stream: str, subject: str = "") -> str:
    """Where a stream is read from directly: by its request's body, or a subject's last message."""
    return f"$JS.API.DIRECT.GET.{stream}" + (f".{subject}" if subject else "")


def inbox(part: str) -> str:
    """What the subjects of answers to a part of the mesh begin with: a stage, or `gateway`."""
    return f"_INBOX_{part}"
