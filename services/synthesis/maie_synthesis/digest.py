"""Speaks the summary of a job into a stored object."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from maie.common.v1 import types_pb2 as common
from maie.speech.v1 import speech_pb2 as speech
from maie.summary.v1 import summary_pb2 as summary
from maie_core.errors import StageError
from maie_core.reasons import Reason, WarningReason
from maie_core.result_warnings import result_warning
from maie_core.synthesis import check_synthesis
from maie_formats.aloud import aloud
from maie_formats.summary import reading
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from maie_synthesis.speaking import Speaker

_EMPTY = "There is nothing in the summary to speak."
_UNSPEAKABLE = "The summary has nothing that the voice can speak, so that there is no audio."


async def spoken_summary(
    speaker: Speaker, request: speech.SynthesizeRequest, context: StageContext
) -> AsyncGenerator[speech.SynthesizeResponse, None]:
    """Yields progress, and at last what was stored as `FOLDER/digest-audio-SHA256`.

    Memory holds the text and the marks of its sentences, and a part of the audio. A summary of
    which nothing can be spoken has a warning and no audio.

    Raises:
        StageError: As `check_synthesis` of the summary's text, `Blobs`, and `Speaker.speak` but
            for TEXT_NOT_SPEAKABLE.
    """
    text = await _text(request.summary, context.blobs)
    digest = speech.Digest(text=text, format=request.format)
    if not text:
        digest.warnings.append(result_warning(WarningReason.DIGEST_INCOMPLETE, _EMPTY))
        yield _stored(speech.SpokenSummary(digest=digest))
        return
    check_synthesis(speech.SynthesizeRequest(text=text, speed=request.speed, format=request.format))
    try:
        async with (
            context.blobs.writer(f"{context.folder}/digest-audio") as writer,
            aclosing(speaker.speak(text)) as responses,
        ):
            async for response in responses:
                if response.HasField("result"):
                    digest.result.CopyFrom(response.result)
                    continue
                await writer.write(response.audio.content)
                if found := _sentences(response.audio):
                    digest.marks.extend(found)
                    yield _progress(found[-1], text)
    except StageError as error:
        if error.reason is not Reason.TEXT_NOT_SPEAKABLE:
            raise
        # Such as a summary in a language that the engine does not speak: the rest of the job
        # is worth having.
        digest.warnings.append(result_warning(WarningReason.DIGEST_INCOMPLETE, _UNSPEAKABLE))
        yield _stored(speech.SpokenSummary(digest=digest))
        return
    audio = writer.blob()
    digest.size_bytes = audio.size_bytes
    digest.warnings.extend(_warnings(digest.result))
    yield _stored(speech.SpokenSummary(audio=audio, digest=digest))


async def _text(source: speech.SummarySource, blobs: Blobs) -> str:
    filled = await blobs.get_message(source.summary, summary.SummarizeResult)
    template = None
    if source.template.key:
        template = await blobs.get_message(source.template, summary.Template)
    return aloud(reading(filled.summary, template))


def _sentences(audio: speech.SynthesizedAudio) -> list[speech.Mark]:
    return [mark for mark in audio.marks if mark.kind == speech.MARK_KIND_SENTENCE]


def _progress(last: speech.Mark, text: str) -> speech.SynthesizeResponse:
    fraction = (last.text_offset + last.text_length) / len(text)
    return speech.SynthesizeResponse(progress=speech.SynthesizeProgress(fraction=fraction))


def _stored(made: speech.SpokenSummary) -> speech.SynthesizeResponse:
    return speech.SynthesizeResponse(spoken_summary=made)


def _warnings(result: speech.SynthesizeResult) -> list[common.Warning]:
    count = result.unspoken_sentences
    if not count:
        return []
    many = (
        f"{count} sentences of the summary were" if count > 1 else "A sentence of the summary was"
    )
    message = f"{many} not spoken, or not wholly: {result.unspoken[0].message}"
    return [result_warning(WarningReason.DIGEST_INCOMPLETE, message, metadata={"sentences": count})]
