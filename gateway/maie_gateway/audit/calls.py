"""The one table of which calls have an entry in the audit log."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from google.protobuf import descriptor_pool


class Audited(enum.Enum):
    """When a call has an entry. Calls that are refused have one whatever they are."""

    CHANGE = "each time"
    """It changes something."""
    READ = "once a minute for each caller and job"
    """It reads content."""
    REFUSED = "when it is refused"
    """It changes nothing and reads no recording, text or summary."""


CALLS = {
    "maie.job.v1.JobService": {
        "ProcessAudio": Audited.CHANGE,
        "CreateJob": Audited.CHANGE,
        "CreateJobFromUrl": Audited.CHANGE,
        "CancelJob": Audited.CHANGE,
        "RetryJob": Audited.CHANGE,
        "UpdateJob": Audited.CHANGE,
        "DeleteJob": Audited.CHANGE,
        "ReplayDeadLetter": Audited.CHANGE,
        "GetJob": Audited.READ,
        "GetAudio": Audited.READ,
        "SearchJobs": Audited.READ,
        "WatchJob": Audited.READ,
        # Names, states and times: what programs and pages ask for again and again.
        "ListJobs": Audited.REFUSED,
        "GetTimeline": Audited.REFUSED,
        # How loud a recording is, and no word of it.
        "GetWaveform": Audited.REFUSED,
        "ListDeadLetters": Audited.REFUSED,
    },
    "maie.edit.v1.EditService": {
        "SaveRevision": Audited.CHANGE,
        "RevertRevision": Audited.CHANGE,
        "SummarizeRevision": Audited.CHANGE,
        "GetRevision": Audited.READ,
        # Who saved, and when.
        "ListRevisions": Audited.REFUSED,
    },
    "maie.upload.v1.UploadService": {
        "BeginUpload": Audited.CHANGE,
        "FinishUpload": Audited.CHANGE,
        "DeleteUpload": Audited.CHANGE,
        # As many as the connection breaks; the beginning and the end say who uploaded what.
        "AppendUpload": Audited.REFUSED,
        "GetUpload": Audited.REFUSED,
    },
    "maie.share.v1.ShareService": {
        "CreateShare": Audited.CHANGE,
        "RevokeShare": Audited.CHANGE,
        # Ids and times.
        "ListShares": Audited.REFUSED,
    },
    "maie.live.v1.LiveService": {
        "Transcribe": Audited.CHANGE,
        "GetSession": Audited.REFUSED,
    },
    "maie.catalog.v1.CatalogService": {
        "ListModels": Audited.REFUSED,
        "ListTemplates": Audited.REFUSED,
        "GetTemplate": Audited.REFUSED,
        "GetMesh": Audited.REFUSED,
    },
    "maie.template.v1.TemplateService": {
        "SaveTemplate": Audited.CHANGE,
        "DeleteTemplate": Audited.CHANGE,
        "CheckTemplate": Audited.REFUSED,
        "ListTemplateVersions": Audited.REFUSED,
        # The order of a summary, and nothing of what was said.
        "GetJobTemplate": Audited.REFUSED,
    },
    "maie.voice.v1.VoiceService": {
        "EnrollVoice": Audited.CHANGE,
        "UpdateVoice": Audited.CHANGE,
        "DeleteVoice": Audited.CHANGE,
        # Who is enrolled, and who may speak in a job.
        "ListVoices": Audited.READ,
        "GetVoice": Audited.READ,
        "FindVoices": Audited.READ,
    },
    "maie.speech.v1.SpeechService": {
        # The caller's own text, which nothing keeps.
        "Synthesize": Audited.REFUSED,
        "ListVoices": Audited.REFUSED,
    },
    "maie.access.v1.AccessService": {
        "GetCaller": Audited.REFUSED,
        "CreateKey": Audited.CHANGE,
        "RotateKey": Audited.CHANGE,
        "RevokeKey": Audited.CHANGE,
        "ListKeys": Audited.READ,
        "ListAuditEntries": Audited.READ,
    },
    "maie.tenant.v1.TenantService": {
        "SetTenantLimits": Audited.CHANGE,
        "RemoveTenant": Audited.CHANGE,
        # Counts and limits.
        "ListTenants": Audited.REFUSED,
    },
}


def undecided(services: Sequence[str]) -> list[str]:
    """The RPCs of services, by their full names, that the table does not have."""
    pool = descriptor_pool.Default()
    return [
        f"{service}/{method.name}"
        for service in services
        for method in pool.FindServiceByName(service).methods
        if method.name not in CALLS.get(service, {})
    ]
