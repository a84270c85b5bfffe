"""docs/settings.md from the settings classes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from maie_alignment.settings import (
    AlignmentSettings,
    EmbeddedSettings,
    TritonSettings,
    Wav2Vec2Settings,
)
from maie_asr.settings import (
    AsrSettings,
    ChunkformerSettings,
    LiveSettings,
    PocketsphinxSettings,
    RereadSettings,
    SherpaSettings,
    SuspectTextSettings,
    WhisperSettings,
)
from maie_core.redaction import FILE
from maie_core.secret_settings import is_secret
from maie_core.settings import MeshSettings, Settings
from maie_diarization.settings import DiarizationSettings, PyannoteSettings, SortformerSettings
from maie_diarization.settings import LiveSettings as DiarizationLiveSettings
from maie_enhancement.settings import (
    EnhancementGenerationSettings,
    EnhancementOpenAISettings,
    EnhancementSettings,
    EnhancementVllmSettings,
)
from maie_gateway.access.settings import AccessSettings
from maie_gateway.access.token_settings import TokenSettings
from maie_gateway.fetching.settings import FetchSettings
from maie_gateway.limits.settings import LimitSettings
from maie_gateway.live.settings import LiveSettings as GatewayLiveSettings
from maie_gateway.readmodel import ReadModelSettings
from maie_gateway.settings import GatewaySettings, RetentionSettings
from maie_gateway.webhooks import WebhookSettings
from maie_preprocess.settings import PreprocessSettings
from maie_quality.settings import QualitySettings
from maie_summary.settings import (
    SummaryGenerationSettings,
    SummaryOpenAISettings,
    SummarySettings,
    SummaryVllmSettings,
)
from maie_synthesis.settings import ChatterboxSettings, KokoroSettings, SynthesisSettings
from maie_templates.settings import TemplateSettings
from maie_web.settings import WebSettings

TARGET = "docs/settings.md"
SECTIONS: tuple[tuple[str, type[Settings]], ...] = (
    ("Every part", MeshSettings),
    ("Templates (gateway and summary)", TemplateSettings),
    ("Gateway", GatewaySettings),
    ("Who may call (gateway)", AccessSettings),
    ("JSON Web Tokens (gateway)", TokenSettings),
    ("Limits of callers (gateway)", LimitSettings),
    ("Lists and search (gateway)", ReadModelSettings),
    ("Live speech (gateway)", GatewayLiveSettings),
    ("Retention (gateway)", RetentionSettings),
    ("Recordings from URLs (gateway)", FetchSettings),
    ("Webhooks (gateway)", WebhookSettings),
    ("Web part", WebSettings),
    ("Preprocess", PreprocessSettings),
    ("ASR", AsrSettings),
    ("ASR: text that was never spoken", SuspectTextSettings),
    ("ASR: speech without text", RereadSettings),
    ("ASR: live speech", LiveSettings),
    ("ASR engine `pocketsphinx`", PocketsphinxSettings),
    ("ASR engine `whisper`", WhisperSettings),
    ("ASR engine `chunkformer`", ChunkformerSettings),
    ("ASR engine `sherpa`", SherpaSettings),
    ("Diarization", DiarizationSettings),
    ("Diarization engine `pyannote`", PyannoteSettings),
    ("Diarization engine `sortformer`", SortformerSettings),
    ("Diarization: live speech", DiarizationLiveSettings),
    ("Quality", QualitySettings),
    ("Alignment", AlignmentSettings),
    ("Alignment engine `embedded`", EmbeddedSettings),
    ("Alignment engine `wav2vec2`", Wav2Vec2Settings),
    ("Alignment engine `triton`", TritonSettings),
    ("Enhancement", EnhancementSettings),
    ("Enhancement engine `vllm`", EnhancementVllmSettings),
    ("Enhancement engine `openai`", EnhancementOpenAISettings),
    ("Enhancement by a language model", EnhancementGenerationSettings),
    ("Summary", SummarySettings),
    ("Summary engine `vllm`", SummaryVllmSettings),
    ("Summary engine `openai`", SummaryOpenAISettings),
    ("Summary by a language model", SummaryGenerationSettings),
    ("Synthesis", SynthesisSettings),
    ("Synthesis engine `kokoro`", KokoroSettings),
    ("Synthesis engine `chatterbox`", ChatterboxSettings),
)
INTRODUCTION = """\
# Settings

Each part reads its settings once, at its start, from the environment. A value that cannot be
used stops the part with a line that names it, and a variable that begins with `MAIE_` and is no
setting is named in a warning at the start. Lists are JSON. A secret can also come from a file, as
Kubernetes mounts its Secrets, and is left out of logs and messages. This page is written by
`make generate` from the settings classes.
"""


def reference() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(_section(title, kind) for title, kind in SECTIONS)


def _section(title: str, kind: type[Settings]) -> str:
    rows = "".join(_rows(kind))
    return f"\n## {title}\n\n| variable | default | what it does |\n| --- | --- | --- |\n{rows}"


def _rows(kind: type[Settings]) -> Iterator[str]:
    prefix = kind.model_config.get("env_prefix", "")
    for name, field in kind.model_fields.items():
        if not is_nested(field):
            description = " ".join((field.description or "").split()).replace("|", "\\|")
            if is_secret(field):
                description += f" A secret; `{prefix}{name.upper()}{FILE}` may name a file with it."
            yield f"| `{prefix}{name.upper()}` | {_default(field)} | {description} |\n"


def is_nested(field: FieldInfo) -> bool:
    """Whether it is no variable, but a class with variables of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Settings)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value == "":
        return "unset"
    return f"`{json.dumps(value) if isinstance(value, bool | tuple) else value}`"
