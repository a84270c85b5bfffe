"""What engines by onnxruntime share: opening a network, a call that can be ended, and its sound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from maie_core.errors import StageError
from maie_speech.onnx_sessions import open_session
from maie_synthesis.engine import Samples, SpokenPiece, UnspeakableError


def open_network(
    path: Path, threads: int, device: Literal["cpu", "cuda"], variable: str
) -> ort.InferenceSession:
    """Loads a network. Blocks.

    Args:
        path: Its file.
        threads: How many it runs in on a CPU.
        device: Where it runs.
        variable: The setting that says so.

    Raises:
        StageError: FAILED_PRECONDITION with DEVICE_UNAVAILABLE.
        ValueError: onnxruntime cannot read it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session, _ = open_session(path, options, device, variable)
    except StageError:
        raise
    except Exception as error:
        raise ValueError(f"onnxruntime cannot read it ({type(error).__name__})") from error
    return session


async def spoken_within(
    seconds: float,
    executor: ThreadPoolExecutor,
    speak: Callable[[ort.RunOptions], SpokenPiece],
    engine: str,
) -> SpokenPiece:
    """Speaks in a thread, which stops where the call is cancelled or takes too long.

    Args:
        seconds: The longest that it may take.
        executor: The threads.
        speak: Runs networks with the options that it is given.
        engine: The engine's name in sentences.

    Raises:
        UnspeakableError: It took too long, or what `speak` raises.
    """
    options = ort.RunOptions()
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().run_in_executor(
                executor, partial(speak, options)
            )
    except TimeoutError as error:
        message = f"{engine} took longer than {seconds:g} s for this."
        raise UnspeakableError(message, too_slow=True) from error
    finally:
        # Ends a run that nobody waits for any more, and each that would follow it.
        options.terminate = True


def samples_of(sound: NDArray[np.floating[Any]], engine: str) -> Samples:
    """A sound of -1 to 1, of any shape, as samples.

    Raises:
        UnspeakableError: It has none, or not only numbers.
    """
    audio = np.asarray(sound, np.float32).reshape(-1)
    if not len(audio) or not np.isfinite(audio).all():
        raise UnspeakableError(f"{engine} made no sound of this.")
    return (np.clip(audio, -1, 1) * 32767).astype(np.int16)
