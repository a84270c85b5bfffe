"""The engine `triton`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie.common.v1 import types_pb2 as common
from maie.kserve.v2 import inference_pb2 as kserve
from maie_alignment.engine import AlignedWord, Samples
from maie_alignment.engines.ctc.aligner import CtcAligner
from maie_alignment.engines.ctc.audio import FRAME_SECONDS, Waveform
from maie_alignment.engines.ctc.folder import DEFAULT_MODEL, CtcFolder, read_folder
from maie_alignment.engines.ctc.layouts import MAX_SECONDS, Layout
from maie_alignment.engines.triton.tensors import (
    Signature,
    UnfitError,
    levels_of,
    signature_of,
)
from maie_alignment.settings import AlignmentSettings, TritonSettings
from maie_core.errors import Code, StageError
from maie_core.models import model_store
from maie_core.reasons import Reason
from maie_runtime.rpc.kserve.server import InferenceServer, open_server

_NUMBER_BYTES: Final = 4
# Names, shapes and what gRPC adds.
_SPARE_BYTES: Final = 64 * 1024
# A second more than the longest audio.
_MAX_FRAMES: Final = round((MAX_SECONDS + 1) / FRAME_SECONDS)


class TritonEngine:
    """Aligns by a CTC model on a server, and a search of this project's own.

    Args:
        server: The server.
        folder: What belongs to the model.
        settings: The engine's settings.
        executor: Where words are searched.
    """

    vram_bytes = 0
    weights = None

    def __init__(
        self,
        server: InferenceServer,
        folder: CtcFolder,
        settings: TritonSettings,
        executor: ThreadPoolExecutor,
    ) -> None:
        self._server = server
        self._folder = folder
        self._settings = settings
        self._aligner = CtcAligner(self._hear, folder, executor)
        self._signature: Signature | None = None
        self._software = self._platform = ""
        self._ran = settings.model_version
        phones = folder.vocabulary.has_phones
        self.language_codes = ("en",) if phones else tuple(settings.languages)
        self.description = (
            f"A CTC model of {'sounds' if phones else 'letters'}: {settings.model} on "
            f"{settings.address}, by the KServe v2 protocol."
        )

    @property
    def max_seconds(self) -> float:
        """The longest audio that the model hears."""
        return self._signature.layout.max_seconds if self._signature else MAX_SECONDS

    @property
    def version(self) -> common.EngineVersion:
        """What the server said last of itself and of the model.

        `checkpoint_sha256` stays empty: servers do not report it. The digest of the files that
        belong to the model is among the parameters.
        """
        return common.EngineVersion(
            engine="triton",
            library=self._software,
            model_name=self._settings.model,
            model_path=str(self._settings.model_path or ""),
            device=self._settings.address,
            parameters={
                "model_version": self._ran,
                "platform": self._platform,
                "vocabulary_sha256": self._folder.sha256,
            },
        )

    async def check(self) -> None:
        """Asks the server whether the model is there, ready and one that can be run.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_ACCESS_DENIED,
                MODEL_REQUEST_REFUSED or MODEL_SETTINGS_INVALID; UNAVAILABLE with
                MODEL_UNAVAILABLE.
        """
        metadata, software = await self._server.model(), await self._server.software()
        named = None
        if self._settings.input:
            named = Layout(waveform=self._settings.input, output=self._settings.output)
        try:
            signature = signature_of(metadata, self._folder.vocabulary.size, named)
        except UnfitError as error:
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.MODEL_SETTINGS_INVALID,
                f"The model {self._settings.model!r} at {self._settings.address} {error}; check "
                f"{self._settings.variable('model')} and {self._settings.variable('model_path')}.",
            ) from None
        self._signature = signature
        self._software = f"{software.name} {software.version}".strip()
        self._platform = metadata.platform
        self._ran = self._ran or _only(metadata)

    async def align(self, samples: Samples, words: Sequence[str]) -> list[AlignedWord]:
        """Finds the words.

        Raises:
            StageError: UNAVAILABLE with MODEL_UNAVAILABLE; INTERNAL with MODEL_ANSWER_INVALID;
                FAILED_PRECONDITION with MODEL_MISSING, MODEL_ACCESS_DENIED or
                MODEL_REQUEST_REFUSED.
        """
        return await self._aligner.align(samples, words)

    async def readiness(self) -> AsyncGenerator[bool, None]:
        """Yields whether the server can do its work, at each change; it can at first."""
        async for is_ready in self._server.readiness(self.check):
            yield is_ready

    async def _hear(self, audio: Waveform) -> NDArray[np.float32]:
        signature = self._signature
        assert signature is not None
        request = await asyncio.to_thread(signature.request, audio)
        answer = await self._server.infer(request)
        try:
            self._note(answer)
            return levels_of(answer, signature.layout.output)
        except UnfitError as error:
            raise self._server.errors.invalid_answer(str(error)) from None

    def _note(self, answer: kserve.ModelInferResponse) -> None:
        wanted = self._settings.model_version
        if wanted and answer.model_version != wanted:
            raise UnfitError(f"ran version {answer.model_version[:20]!r} and not {wanted}")
        self._ran = answer.model_version or self._ran


def _only(metadata: kserve.ModelMetadataResponse) -> str:
    """The version of a model that has one; else only answers say which ran."""
    return metadata.versions[0] if len(metadata.versions) == 1 else ""


@asynccontextmanager
async def create(settings: AlignmentSettings) -> AsyncIterator[TritonEngine]:
    """Reads what belongs to the model, and asks the server whether it has it.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT, MODEL_UNSAFE,
            MODEL_SETTINGS_INVALID, MODEL_ACCESS_DENIED, MODEL_REQUEST_REFUSED or
            CERTIFICATE_INVALID; UNAVAILABLE with MODEL_UNAVAILABLE.
    """
    own = settings.triton
    root = own.model_path or model_store(settings.mesh.models_dir) / DEFAULT_MODEL
    with ThreadPoolExecutor(settings.slots, "triton") as executor:
        folder = await asyncio.get_running_loop().run_in_executor(
            executor, partial(read_folder, root, "", own.sha256, own.variable("model_path"))
        )
        largest = _MAX_FRAMES * folder.vocabulary.size * _NUMBER_BYTES + _SPARE_BYTES
        async with open_server(own, largest) as server:
            engine = TritonEngine(server, folder, own, executor)
            await engine.check()
            yield engine
