"""The names of everything in NATS: streams, subjects, consumers and buckets."""

from __future__ import annotations

TASKS = "MAIE_TASKS"
"""Work queue: a unit of work each, removed when a worker has settled it."""
EVENTS = "MAIE_EVENTS"
"""Events of units, for the conductor and other consumers; kept for a week."""
DEAD_LETTERS = "MAIE_DEAD_LETTERS"
"""Units and webhooks that were given up."""
WEBHOOKS = "MAIE_WEBHOOKS"
"""Work queue: a notification to one receiver about one finished job each."""
FINALS = "MAIE_FINALS"
"""Work queue: notes that one receiver has finals of one track of a live session to get."""
RETURNS = "MAIE_RETURNS"
"""The redelivery ledger: deliveries of tasks that workers returned to the queue."""
NAMES = "MAIE_NAMES"
"""Names and texts that clients gave their jobs: a JobNames each, erased with its job."""
SESSIONS = "MAIE_SESSIONS"
"""The logs of live sessions: SessionEntry, erased with their jobs."""
AUDIT = "MAIE_AUDIT"
"""The audit log: who did what; entries expire, and nobody can change or remove one."""
JOBS = "maie_jobs"
"""Bucket: a JobRecord under each job's id, and the changes since it was written."""
REQUESTS = "maie_requests"
"""Bucket: a job's id under TENANT.SHA256-OF-THE-REQUEST-ID; expires."""
UPLOADS = "maie_uploads"
"""Bucket: an UploadState under TENANT.UPLOAD.state, and an UploadRequest under
TENANT.UPLOAD.request until the upload is a job; only gateways read it."""
SECRETS = "maie_secrets"
"""Bucket: the WebhookSecrets of a job under JOB.UUID; only gateways read it."""
SHARES = "maie_shares"
"""Bucket: a StoredShare under TENANT.JOB.SHARE; holds hashes, no secrets; expires."""
KEYS = "maie_keys"
"""Bucket: a StoredKey under each API key's id; holds hashes, no secrets."""
DATA_KEYS = "maie_data_keys"
"""Bucket: the wrapped data key of each job under job.JOB, and what wraps them under ring.NUMBER;
only gateways read it."""
TEMPLATES = "maie_templates"
"""Bucket: a StoredTemplate under TENANT.TEMPLATE.entry, and a Template for each of its versions
under TENANT.TEMPLATE.UUID; only gateways read it."""
VOICES = "maie_voices"
"""Bucket: a StoredVoice under TENANT.VOICE; only gateways read it."""
TENANTS = "maie_tenants"
"""Bucket: a StoredTenant under each tenant's name, with the limits that were set for it."""
FEEDS = "maie_feeds"
"""Bucket: a FeedPosition under SESSION.RECEIVER.TRACK-NUMBER, purged with its session."""
WORKERS = "maie_workers"
"""Bucket: a WorkerInfo under STAGE.INSTANCE or gateway.INSTANCE; expires unless renewed."""
GPUS = "maie_gpus"
"""Bucket: leases of shared GPUs and services that wait for one; expire unless renewed."""

CONDUCTOR = "conductor"
"""The durable consumer of EVENTS that all gateways share."""
WEBHOOK_SENDERS = "webhooks"
"""The durable consumer of WEBHOOKS that all gateways share."""
FINAL_RELAY = "finals"
"""The durable consumer of SESSIONS that all gateways share."""
FINAL_SENDERS = "finals"
"""The durable consumer of FINALS that all gateways share."""
ENTRY = "entry"
"""The last part of the key of a template's entry."""
INTERACTIVE = "interactive"
"""The lane of jobs that a person waits for; served first."""
BATCH = "batch"
"""The lane of all other jobs."""
LANES = (INTERACTIVE, BATCH)
"""The lanes in the order in which they are served."""
UNKNOWN = "_"
"""Stands for no tenant and no job; neither may be called so."""
_PLACE_OF_JOB = {
    "task": 2,
    "event": 1,
    "dead": 1,
    "webhook": 0,
    "final": 0,
    "names": 0,
    "session": 0,
}
"""Which token after the kind names the job."""


def task(stage: str, job_id: str, unit: str, lane: str = BATCH) -> str:
    """The subject of a unit's task. Dots in the unit's name separate tokens."""
    return f"maie.task.{stage}.{lane}.{job_id}.{unit}"


def lane_of_task(subject: str) -> str:
    """The lane in the subject of a task."""
    return subject.split(".")[3]


def tasks_of_stage(stage: str, lane: str = BATCH) -> str:
    """The subjects of all tasks of a stage and lane."""
    return f"maie.task.{stage}.{lane}.>"


def tasks_of_job(job_id: str) -> str:
    """The subjects of all tasks of a job."""
    return f"maie.task.*.*.{job_id}.>"


def worker_consumer(stage: str, lane: str = BATCH) -> str:
    """The durable consumer that a stage's workers share."""
    return f"{stage}-{lane}"


def event(stage: str, job_id: str) -> str:
    """The subject of durable events that a stage's workers publish about a job's units."""
    return f"maie.event.{stage}.{job_id}"


def stage_of_event(subject: str) -> str:
    """The stage in the subject of an event."""
    return subject.split(".")[2]


def dead_letter(stage: str, job_id: str) -> str:
    """The subject of the dead letters of a job's units."""
    return f"maie.dead.{stage}.{job_id}"


def webhook(job_id: str, receiver: str) -> str:
    """The subject of the notification to one receiver."""
    return f"maie.webhook.{job_id}.{receiver}"


def webhooks_of_job(job_id: str) -> str:
    """The subjects of all notifications about a job."""
    return f"maie.webhook.{job_id}.>"


def final(session_id: str, receiver: str, track: int | str) -> str:
    """Where it is noted that a receiver has finals of a track to get."""
    return f"maie.final.{session_id}.{receiver}.{track}"


def finals_of_session(session_id: str) -> str:
    """All notes on finals of a session."""
    return f"maie.final.{session_id}.>"


def feed(session_id: str, receiver: str, track: int | str) -> str:
    """The key of how far a receiver is in the finals of a track."""
    return f"{session_id}.{receiver}.{track}"


def returned(stage: str, job_id: str, task_sequence: int | str, delivery: str) -> str:
    """The subject of the record of a returned delivery; `*` for all deliveries of a task."""
    return f"maie.return.{stage}.{job_id}.{task_sequence}.{delivery}"


def returned_of_job(job_id: str) -> str:
    """The subjects of all records of returned deliveries of a job's tasks."""
    return f"maie.return.*.{job_id}.>"


def names(job_id: str) -> str:
    """The subject of a job's JobNames; `*` for all jobs."""
    return f"maie.names.{job_id}"


def session(session_id: str) -> str:
    """Where the log of a live session is; `*` for all sessions."""
    return f"maie.session.{session_id}"


def audit(tenant: str = "", job_id: str = "") -> str:
    """The subject of audit entries of a tenant about a job; `*` for all."""
    return f"maie.audit.{tenant or UNKNOWN}.{job_id or UNKNOWN}"


def progress(job_id: str) -> str:
    """The subject of a job's progress; not stored."""
    return f"maie.progress.{job_id}"


def cancel(job_id: str) -> str:
    """The subject that notifies workers of a job's cancellation; not stored."""
    return f"maie.cancel.{job_id}"


def data_key(stage: str, job_id: str) -> str:
    """Where workers of a stage ask gateways for the data key of a job."""
    return f"maie.datakey.{stage}.{job_id}"


def job_of(subject: str) -> str:
    """The job that a stored message is about, by its subject; empty where it names none."""
    kind, *rest = subject.removeprefix("maie.").split(".")
    place = _PLACE_OF_JOB.get(kind, len(rest))
    return rest[place] if place < len(rest) else ""


def gpu_holder(gpu: str) -> str:
    """The key of the lease of a shared GPU."""
    return f"holder.0.{gpu}"


def gpu_asking(gpu: str) -> str:
    """The key whose revisions number the services that wait for a shared GPU."""
    return f"asking.0.{gpu}"


def gpu_waiting(gpu: str, number: int) -> str:
    """The key of the waiting service with this number."""
    return f"waiting.{number}.{gpu}"


def gpu_keys(gpu: str) -> str:
    """All keys of a shared GPU."""
    return f"*.*.{gpu}"


def gpu_news(gpu: str) -> str:
    """The subject that notifies services of changes of a shared GPU's lease; not stored."""
    return f"maie.gpu.{gpu}"


def upload_state(tenant: str, upload_id: str) -> str:
    """The key of how far a resumable upload is; `*` for all."""
    return f"{tenant}.{upload_id}.state"


def upload_request(tenant: str, upload_id: str) -> str:
    """The key of what a resumable upload is for; `*` for all."""
    return f"{tenant}.{upload_id}.request"


def upload_of(subject: str) -> tuple[str, str]:
    """The tenant and the id in the subject of an entry of a resumable upload."""
    tenant, upload_id, _ = subject.removeprefix(bucket_subject(UPLOADS, "")).split(".")
    return tenant, upload_id


def template_entry(tenant: str, template_id: str) -> str:
    """The key of a template of a tenant's own; `*` for all."""
    return f"{tenant}.{template_id}.{ENTRY}"


def template_content(tenant: str, template_id: str, content_id: str) -> str:
    """The key of the content of a version of a template."""
    return f"{tenant}.{template_id}.{content_id}"


def template_of(subject: str) -> tuple[str, str, str]:
    """The tenant, the id and the last part in the subject of what is stored of a template."""
    tenant, template_id, last = subject.removeprefix(bucket_subject(TEMPLATES, "")).split(".")
    return tenant, template_id, last


def voice(tenant: str, voice_id: str) -> str:
    """The key of the profile of a voice; `*` for all tenants or voices."""
    return f"{tenant}.{voice_id}"


def voice_of(subject: str) -> tuple[str, str]:
    """The tenant and the id in the subject of the profile of a voice."""
    tenant, voice_id = subject.removeprefix(bucket_subject(VOICES, "")).split(".")
    return tenant, voice_id


def share(tenant: str, job_id: str, share_id: str) -> str:
    """The key of a share; `*` for all tenants, jobs or shares."""
    return f"{tenant}.{job_id}.{share_id}"


def bucket_stream(bucket: str) -> str:
    """The stream that holds a bucket."""
    return f"KV_{bucket}"


def bucket_subject(bucket: str, key: str) -> str:
    """The subject of a key within its bucket's stream."""
    return f"$KV.{bucket}.{key}"


def stream_of_entry(subject: str) -> str:
    """The stream of a bucket's entry, by its subject; empty where it is no entry."""
    kind, *parts = subject.split(".", 2)
    return bucket_stream(parts[0]) if kind == "$KV" and len(parts) == 2 else ""


def direct_get(stream: str, subject: str = "") -> str:
    """The subject of direct reads: of the last message of `subject`, or as the request says."""
    return f"$JS.API.DIRECT.GET.{stream}" + (f".{subject}" if subject else "")


def inbox(part: str) -> str:
    """What the subjects of answers to a part of the mesh begin with: a stage, or `gateway`."""
    return f"_INBOX_{part}"
