"""The one table of which scope each RPC needs, of the gateway and of every stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf import descriptor_pool
from grpc_health.v1 import health

from maie_core.caller import ALL_SCOPES, Scope
from maie_pipeline.bindings import BINDINGS, StageBinding
from maie_runtime.rpc.reflection import V1_SERVICE, V1ALPHA_SERVICE

Need = frozenset[Scope] | None
"""The scopes of which a caller has one; None: anybody may call."""

SUBMIT: Need = frozenset({Scope.SUBMIT})
READ: Need = frozenset({Scope.READ})
SHARED: Need = frozenset({Scope.READ, Scope.SHARED})
SHARED_AUDIO: Need = frozenset({Scope.READ, Scope.SHARED_AUDIO})
LIVE: Need = frozenset({Scope.LIVE})
ADMIN: Need = frozenset({Scope.ADMIN})
ANY_CALLER: Need = ALL_SCOPES
ANYBODY: Need = None

_OF_SERVICES: Mapping[str, Mapping[str, Need]] = {
    "maie.job.v1.JobService": {
        "ProcessAudio": SUBMIT,
        "CreateJob": SUBMIT,
        "CreateJobFromUrl": SUBMIT,
        "CancelJob": SUBMIT,
        "RetryJob": SUBMIT,
        "UpdateJob": SUBMIT,
        "DeleteJob": SUBMIT,
        "ReplayDeadLetter": SUBMIT,
        "GetJob": SHARED,
        "GetTimeline": READ,
        "GetAudio": SHARED_AUDIO,
        # Made of the audio, and shown by its player alone.
        "GetWaveform": SHARED_AUDIO,
        "ListJobs": READ,
        "SearchJobs": READ,
        "WatchJob": READ,
        "ListDeadLetters": READ,
    },
    "maie.edit.v1.EditService": {
        "SaveRevision": SUBMIT,
        "RevertRevision": SUBMIT,
        "SummarizeRevision": SUBMIT,
        "GetRevision": READ,
        "ListRevisions": READ,
    },
    "maie.upload.v1.UploadService": {
        "BeginUpload": SUBMIT,
        "AppendUpload": SUBMIT,
        "GetUpload": SUBMIT,
        "FinishUpload": SUBMIT,
        "DeleteUpload": SUBMIT,
    },
    # Who makes a share needs READ as well: it gives what it shows.
    "maie.share.v1.ShareService": {
        "CreateShare": SUBMIT,
        "RevokeShare": SUBMIT,
        "ListShares": READ,
    },
    "maie.live.v1.LiveService": {"Transcribe": LIVE, "GetSession": LIVE},
    "maie.catalog.v1.CatalogService": {
        "ListModels": ANY_CALLER,
        "ListTemplates": ANY_CALLER,
        "GetTemplate": ANY_CALLER,
        # It names machines, and counts the work of all tenants.
        "GetMesh": ADMIN,
    },
    "maie.template.v1.TemplateService": {
        "CheckTemplate": SUBMIT,
        "SaveTemplate": SUBMIT,
        "DeleteTemplate": SUBMIT,
        "ListTemplateVersions": ANY_CALLER,
        "GetJobTemplate": READ,
    },
    "maie.voice.v1.VoiceService": {
        "EnrollVoice": SUBMIT,
        "UpdateVoice": SUBMIT,
        "DeleteVoice": SUBMIT,
        "ListVoices": READ,
        "GetVoice": READ,
        "FindVoices": READ,
    },
    # Of a stage, too, which reads no stored object for it.
    "maie.speech.v1.SpeechService": {"Synthesize": SUBMIT, "ListVoices": ANY_CALLER},
    "maie.access.v1.AccessService": {
        "GetCaller": ANY_CALLER,
        "CreateKey": ADMIN,
        "ListKeys": ADMIN,
        "RotateKey": ADMIN,
        "RevokeKey": ADMIN,
        "ListAuditEntries": ADMIN,
    },
    "maie.tenant.v1.TenantService": {
        "ListTenants": ADMIN,
        "SetTenantLimits": ADMIN,
        "RemoveTenant": ADMIN,
    },
    # Load balancers and Kubernetes ask without credentials; it says nothing but that it serves.
    health.SERVICE_NAME: {"Check": ANYBODY, "List": ANYBODY, "Watch": ANYBODY},
    V1_SERVICE: {"ServerReflectionInfo": ANY_CALLER},
    V1ALPHA_SERVICE: {"ServerReflectionInfo": ANY_CALLER},
}


def needs() -> dict[str, Need]:
    """What each RPC needs, by its path such as "/maie.job.v1.JobService/GetJob"."""
    # A stage reads any stored object, so its callers may read those of every tenant.
    stages = {path: ADMIN for binding in BINDINGS.values() for path in _paths_of_stage(binding)}
    services = {
        path_of(service, method): need
        for service, methods in _OF_SERVICES.items()
        for method, need in methods.items()
    }
    return stages | services


def undeclared(services: Iterable[str]) -> list[str]:
    """The RPCs of services, by their full names, that the table does not have."""
    known = needs()
    return [path for service in services for path in _paths_of(service) if path not in known]


def path_of(service: str, method: str) -> str:
    """The path of an RPC in gRPC's calls."""
    return f"/{service}/{method}"


def _paths_of(service: str) -> Iterator[str]:
    described = descriptor_pool.Default().FindServiceByName(service)
    for method in described.methods:
        yield path_of(service, method.name)


def _paths_of_stage(binding: StageBinding) -> Iterator[str]:
    for rpc in (binding, binding.stream):
        if rpc is not None:
            yield path_of(rpc.service, rpc.method)
