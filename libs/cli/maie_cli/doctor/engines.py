"""Whether the services' engines and templates load, exactly as the services load them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from maie_cli.doctor.finding import Finding, bad
from maie_cli.doctor.machine import INSTALL
from maie_cli.mesh import MeshError
from maie_cli.mesh.profiles import profile_environment
from maie_cli.report import HASH_DIGITS
from maie_runtime.blobs import Blobs
from maie_runtime.errors import StageError
from maie_runtime.settings import settings_problems

Opener = Callable[[Blobs], AbstractAsyncContextManager[Any]]


def _preprocess(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_preprocess.settings import PreprocessSettings
    from maie_preprocess.stage import open_stage

    return open_stage(PreprocessSettings())


def _asr(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_asr.settings import AsrSettings
    from maie_asr.stage import open_stage

    return open_stage(AsrSettings(), blobs)


def _enhancement(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_enhancement.settings import EnhancementSettings
    from maie_enhancement.stage import open_stage

    return open_stage(EnhancementSettings(), blobs)


def _summary(blobs: Blobs) -> AbstractAsyncContextManager[Any]:
    from maie_summary.settings import SummarySettings
    from maie_summary.stage import open_stage

    return open_stage(SummarySettings(), blobs)


OPENERS: dict[str, Opener] = {
    "preprocess": _preprocess,
    "asr": _asr,
    "enhancement": _enhancement,
    "summary": _summary,
}
"""How each service loads its engine. A machine may have the command without the services."""


async def engines(profile: str) -> AsyncIterator[Finding]:
    """Loads the engine of each service, which verifies its model.

    Args:
        profile: Whose engines, where the environment names none.
    """
    try:
        settings = profile_environment(profile)
    except MeshError as error:
        yield bad("profile", str(error))
        return
    # The services read the environment, and so it must be there when theirs is read here.
    os.environ.update({name: os.environ.get(name, value) for name, value in settings.items()})
    with tempfile.TemporaryDirectory(prefix="maie-doctor-") as folder:
        blobs = Blobs(f"file://{folder}")
        for name, opener in OPENERS.items():
            yield await _engine(f"{name} engine", opener, blobs)


async def _engine(what: str, opener: Opener, blobs: Blobs) -> Finding:
    try:
        async with opener(blobs) as stage:
            models = [_model(info) for info in stage.models()]
    except StageError as error:
        return bad(what, error.reason, error.message)
    except ImportError as error:
        return bad(what, str(error), INSTALL)
    except ValueError as error:  # settings that make no sense
        return bad(what, " ".join(settings_problems(error)))
    return Finding(what=what, detail=", ".join(models))


def _model(info: Any) -> str:
    engine = info.engine
    return f"{engine.engine} {engine.model_name} {engine.checkpoint_sha256[:HASH_DIGITS]}"


def templates() -> Finding:
    """Whether all templates can be used."""
    from maie_templates import TemplateLibrary, TemplateSettings

    try:
        library = TemplateLibrary(TemplateSettings().directory)
    except StageError as error:
        return bad("templates", error.reason, error.message)
    problems = [problem.message for problem in library.problems().values()]
    if problems:
        return bad("templates", " ".join(problems), "mend or remove them")
    names = ", ".join(template.template_id for template in library.templates())
    return Finding(what="templates", detail=names) if names else bad("templates", "none", INSTALL)
