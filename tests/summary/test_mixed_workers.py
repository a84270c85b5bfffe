"""Parts of one summary from different workers: another release, another GPU, another engine."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie_core.errors import Code, StageError
from maie_llm import Generation
from maie_runtime.worker.stage import StageContext
from maie_summary.stage import SummarizeStage
from tests.summary.asking import TALK, ask, request, transcript
from tests.summary.releases import open_release, stage_of

pytestmark = pytest.mark.unit

CHUNKS = (TALK[:7], TALK[7:])


async def summarise(
    mappers: Sequence[SummarizeStage], reducer: SummarizeStage, context: StageContext
) -> summary.Summary:
    """Each chunk's notes by a stage of its own, and the summary by the last."""
    parts = []
    for chunk, (lines, mapper) in enumerate(zip(CHUNKS, mappers, strict=True)):
        stored = await context.blobs.put_message("in", transcript(lines, chunk))
        part = await ask(mapper, context, request(map=stored))
        parts.append(await context.blobs.put_message("parts", part))
    asked = request(reduce=summary.ReduceSource(parts=parts))
    return (await ask(reducer, context, asked)).summary


async def test_a_summary_is_the_work_of_one_release_though_two_met_in_it(
    context: StageContext,
) -> None:
    async with open_release("one") as one, open_release("two") as two:
        alone = await summarise([stage_of(two)] * 2, stage_of(two), context)
        two.mapped.clear()
        mixed = await summarise([stage_of(one), stage_of(two)], stage_of(two), context)
    assert two.mapped == ["c0001-s0000", "c0000-s0000"]
    assert mixed == alone
    assert mixed.engine.library == "two"
    assert not mixed.part_engines


async def test_a_worker_that_is_replaced_later_gives_its_own_summary_too(
    context: StageContext,
) -> None:
    async with open_release("one") as one, open_release("two") as two:
        mixed = await summarise([stage_of(two), stage_of(two)], stage_of(one), context)
        assert mixed == await summarise([stage_of(one)] * 2, stage_of(one), context)


async def test_notes_of_the_same_engine_on_another_gpu_are_read_and_named(
    context: StageContext,
) -> None:
    async with open_release("one", "cuda:0") as here, open_release("one", "cuda:1") as there:
        mixed = await summarise([stage_of(here), stage_of(there)], stage_of(here), context)
        assert (here.mapped, there.mapped) == (["c0000-s0000"], ["c0001-s0000"])
        assert (mixed.engine, list(mixed.part_engines)) == (
            here.version(Generation()),
            [there.version(Generation())],
        )


async def test_notes_that_cannot_be_made_anew_are_refused(context: StageContext) -> None:
    part = summary.SummaryPart(notes_json="{}", engine=common.EngineVersion(engine="vllm"))
    stored = await context.blobs.put_message("parts", summary.SummarizeResult(part=part))
    async with open_release("one") as one:
        with pytest.raises(StageError) as caught:
            await ask(stage_of(one), context, request(reduce=summary.ReduceSource(parts=[stored])))
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "PARTS_MISMATCH")
    assert "vllm" in caught.value.message
