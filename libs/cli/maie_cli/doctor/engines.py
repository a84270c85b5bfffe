"""Checks that the services' engines and templates load, as in the services."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from maie_cli.doctor.finding import Finding, bad
from maie_cli.doctor.machine import INSTALL
from maie_cli.doctor.speed import speed
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.fitting import SLOTS
from maie_cli.mesh.options import DEFAULT_DATA, MeshOptions
from maie_cli.mesh.parts import fit_of
from maie_cli.mesh.profiles import profile_environment
from maie_cli.report import HASH_DIGITS
from maie_core.errors import StageError
from maie_core.settings import settings_problems
from maie_runtime.blobs import Blobs

# Any 32 bytes, as long as what a master key wraps.
PROBE = bytes(32)

Opener = Callable[[Blobs], AbstractAsyncContextManager[Any]]


def _preprocess(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_preprocess.settings import PreprocessSettings
    from maie_preprocess.stage import open_stage

    return open_stage(PreprocessSettings())


def _asr(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_asr.settings import AsrSettings
    from maie_asr.stage import open_stage

    return open_stage(AsrSettings(), blobs)


def _diarization(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_diarization.settings import DiarizationSettings
    from maie_diarization.stage import open_stage

    return open_stage(DiarizationSettings(), blobs)


def _quality(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_quality.settings import QualitySettings
    from maie_quality.stage import open_stage

    return open_stage(QualitySettings(), blobs)


def _alignment(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_alignment.settings import AlignmentSettings
    from maie_alignment.stage import open_stage

    return open_stage(AlignmentSettings(), blobs)


def _enhancement(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_enhancement.settings import EnhancementSettings
    from maie_enhancement.stage import open_stage

    return open_stage(EnhancementSettings(), blobs)


def _summary(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_summary.settings import SummarySettings
    from maie_summary.stage import open_stage

    return open_stage(SummarySettings(), blobs)


def _synthesis(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_synthesis.settings import SynthesisSettings
    from maie_synthesis.stage import open_stage

    return open_stage(SynthesisSettings(), blobs)


OPENERS: dict[str, Opener] = {
    "preprocess": _preprocess,
    "asr": _asr,
    "diarization": _diarization,
    "quality": _quality,
    "alignment": _alignment,
    "enhancement": _enhancement,
    "summary": _summary,
    "synthesis": _synthesis,
}
"""How each service loads its engine. The services may not be installed."""


async def engines(profile: str, *, measure: bool) -> AsyncIterator[Finding]:
    """Loads the engine of each service, which verifies its model, and measures how fast speech is.

    Args:
        profile: Whose engines, where the environment names none.
        measure: Whether to transcribe something, which takes some seconds.
    """
    options = MeshOptions(data=DEFAULT_DATA, profile=profile)
    try:
        fit = fit_of(options)
    except MeshError as error:
        yield bad("profile", str(error))
        return
    yield Finding(what="speech", detail=fit.sentence)
    # The services read their settings from the environment, so it must be set first.
    os.environ.update({**profile_environment(profile), **os.environ, **fit.environment})
    if SLOTS in fit.environment:  # only one worker is measured
        os.environ[SLOTS] = str(fit.workers * fit.slots)
    with tempfile.TemporaryDirectory(prefix="maie-doctor-") as folder:
        blobs = Blobs(f"file://{folder}")
        for name, opener in OPENERS.items():
            async for finding in _engine(name, opener, blobs, measure=measure):
                yield finding


async def _engine(
    name: str, opener: Opener, blobs: Blobs, *, measure: bool
) -> AsyncIterator[Finding]:
    what = f"{name} engine"
    try:
        async with opener(blobs) as stage:
            yield Finding(what=what, detail=", ".join(_model(info) for info in stage.models()))
            if name == "asr" and measure:
                yield await speed(stage, _asr_slots(), blobs)
    except StageError as error:
        yield bad(what, error.reason, error.message)
    except ImportError as error:
        yield bad(what, str(error), INSTALL)
    except (ValidationError, SettingsError) as error:
        yield _unusable(what, error)


def _asr_slots() -> int:
    from maie_asr.settings import AsrSettings

    return AsrSettings().slots


def _model(info: Any) -> str:
    engine = info.engine
    named = f"{engine.engine} {engine.model_name}"
    if engine.checkpoint_sha256:
        return f"{named} {engine.checkpoint_sha256[:HASH_DIGITS]}"
    # The model of a server, which does not report its digest.
    by = f" ({engine.library})" if engine.library else ""
    return f"{named} on {engine.device}{by}" if engine.device else f"{named}{by}"


def gateway_settings() -> Finding:
    """Checks the gateway's settings in the environment."""
    what = "gateway settings"
    try:
        from maie_gateway.settings import GatewaySettings

        GatewaySettings()
    except (ValidationError, SettingsError) as error:
        return _unusable(what, error)
    except ImportError as error:
        return bad(what, str(error), INSTALL)
    return Finding(what=what, detail="all can be used")


async def master_key() -> Finding | None:
    """Encrypts and decrypts with the gateway's master key; None where it has none."""
    what = "master key"
    try:
        from maie_gateway.vault.master_key import open_master_key
        from maie_gateway.vault.settings import VaultSettings

        if not (setting := VaultSettings().master_key):
            return None
        async with open_master_key(setting) as key:
            opened = await key.unwrap(await key.wrap(PROBE))
    except ImportError as error:
        return bad(what, str(error), INSTALL)
    except StageError as error:
        return bad(what, error.reason, error.message)
    if opened != PROBE:
        return bad(what, "does not decrypt what it encrypted", "name another key")
    return Finding(what=what, detail=f"{setting.partition(':')[0]}: encrypts and decrypts")


def templates() -> Finding:
    """Checks all templates."""
    from maie_templates import TemplateLibrary, TemplateSettings

    try:
        library = TemplateLibrary(TemplateSettings().directory)
    except (ValidationError, SettingsError) as error:
        return _unusable("templates", error)
    except StageError as error:
        return bad("templates", error.reason, error.message)
    unusable = [problem.message for problem in library.problems().values()]
    if unusable:
        return bad("templates", " ".join(unusable), "mend or remove them")
    names = ", ".join(template.template_id for template in library.templates())
    return Finding(what="templates", detail=names) if names else bad("templates", "none", INSTALL)


def _unusable(what: str, error: ValidationError | SettingsError) -> Finding:
    return bad(what, " ".join(settings_problems(error)))
