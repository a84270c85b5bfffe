"""Tries a model in a process of its own, before the service loads it.

The library ends the process when it does not understand a model's files.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict

from maie_asr.engines.sherpa.recognizer import Call
from maie_core.models import model_corrupt

PROGRAM = "maie_asr.engines.sherpa.trial_process"
MAX_REPORT_CHARACTERS = 500


async def try_model(call: Call, where: str) -> None:
    """Loads a model and reads a second of silence with it.

    Args:
        call: How to load it.
        where: The model's directory.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT, with what the library says.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, report = await process.communicate(json.dumps(asdict(call)).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = " ".join(report.decode(errors="replace").split())[-MAX_REPORT_CHARACTERS:]
        raise model_corrupt(
            f"sherpa-onnx cannot read the model in {where}: {said or 'it crashed'}. Fetch it "
            "again, or correct MAIE_ASR_SHERPA_FAMILY."
        )
