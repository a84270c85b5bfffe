"""The summary stage as its callers see it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie_core.errors import Code, StageError
from maie_llm import Generation
from maie_runtime.worker.stage import StageContext, ignore_heartbeat
from maie_summary.engine import NOBODY, Draft, Notes, Segment, Source
from maie_summary.settings import SummarySettings
from maie_summary.stage import SummarizeStage, open_stage
from maie_templates import Template, TemplateLibrary, TemplateSettings
from tests.summary.asking import TALK, ask, request, transcript

pytestmark = pytest.mark.unit


@pytest_asyncio.fixture
async def stage(context: StageContext) -> AsyncIterator[SummarizeStage]:
    async with open_stage(SummarySettings(), context.blobs) as stage:
        yield stage


async def test_a_transcript_is_summarised_at_once_and_every_item_cites_its_moment(
    stage: SummarizeStage, context: StageContext
) -> None:
    filled = (await ask(stage, context, request(transcript=transcript(TALK)))).summary
    content = json_format.MessageToDict(filled.content)
    assert len(content["decisions"]) == 2
    assert [item["owner"] for item in content["action_items"]] == ["David", "Sarah", "Mark"]
    citations = {each.pointer: each for each in filled.citations}
    for name in ("decisions", "action_items", "questions", "key_points"):
        assert all(f"/{name}/{at}" in citations for at in range(len(content[name])))
    david = citations["/action_items/0"]
    assert list(david.segment_ids) == ["c0000-s0004"]
    assert david.ranges[0].start_offset == Duration(seconds=16, nanos=250_000_000)
    assert david.ranges[0].end_offset == Duration(seconds=19)
    template = TemplateLibrary().get("meeting_notes_v1")
    assert filled.template_sha256 == template.sha256
    assert filled.engine == stage.models()[0].engine
    assert len(filled.engine.checkpoint_sha256) == 64


async def test_a_transcript_that_is_all_there_is_takes_one_step(
    stage: SummarizeStage, context: StageContext
) -> None:
    whole = await context.blobs.put_message("in", transcript(TALK))
    filled = await ask(stage, context, request(whole=whole))
    assert filled == await ask(stage, context, request(transcript=transcript(TALK)))


async def test_map_and_reduce_over_stored_parts_give_what_both_at_once_give(
    stage: SummarizeStage, context: StageContext
) -> None:
    blobs = context.blobs
    template = TemplateLibrary().get("meeting_notes_v1").to_message()
    stored = await blobs.put_message("templates", template)
    parts = []
    for chunk, lines in enumerate((TALK[:7], TALK[7:])):
        blob = await blobs.put_message("in", transcript(lines, chunk))
        mapped = await ask(stage, context, summary.SummarizeRequest(template_blob=stored, map=blob))
        parts.append(await blobs.put_message("parts", mapped))
    reduce = summary.ReduceSource(parts=parts)
    filled = await ask(
        stage, context, summary.SummarizeRequest(template_blob=stored, reduce=reduce)
    )
    at_once = await ask(stage, context, request(transcript=transcript(TALK)))
    content = json_format.MessageToDict(filled.summary.content)
    expected = json_format.MessageToDict(at_once.summary.content)
    for name in ("decisions", "action_items", "questions"):
        assert content[name] == expected[name]
    mark = next(c for c in filled.summary.citations if c.pointer == "/action_items/2")
    assert list(mark.segment_ids) == ["c0001-s0001"]
    assert mark.ranges[0].start_offset.seconds == 304


async def test_where_nobody_spoke_the_summary_is_empty_and_valid(
    stage: SummarizeStage, context: StageContext
) -> None:
    filled = await ask(stage, context, request(reduce=summary.ReduceSource()))
    assert json_format.MessageToDict(filled.summary.content)["decisions"] == []
    assert not filled.summary.citations


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (summary.SummarizeRequest(template_id="none", transcript={}), "TEMPLATE_NOT_FOUND"),
        (summary.SummarizeRequest(transcript={}), "TEMPLATE_REQUIRED"),
        (request(), "SOURCE_MISSING"),
    ],
)
async def test_an_incomplete_request_is_refused(
    stage: SummarizeStage, context: StageContext, asked: summary.SummarizeRequest, reason: str
) -> None:
    with pytest.raises(StageError) as caught:
        await ask(stage, context, asked)
    assert caught.value.reason == reason


async def test_a_template_that_cannot_be_filled_fails_clearly(
    context: StageContext, tmp_path: Path
) -> None:
    folder = tmp_path / "templates" / "weather"
    folder.mkdir(parents=True)
    schema = {
        "title": "Weather",
        "description": "What cannot be known.",
        "type": "object",
        "properties": {"degrees": {"type": "integer"}},
        "required": ["degrees"],
    }
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "prompt.jinja").write_text("{{ transcript }}")
    settings = SummarySettings(templates=TemplateSettings(directory=folder.parent))
    async with open_stage(settings, context.blobs) as stage:
        asked = summary.SummarizeRequest(template_id="weather", transcript=transcript(TALK))
        with pytest.raises(StageError, match="required") as caught:
            await ask(stage, context, asked)
    assert (caught.value.code, caught.value.reason) == (Code.INTERNAL, "SUMMARY_INVALID")


async def test_a_broken_template_stops_the_service(context: StageContext, tmp_path: Path) -> None:
    (tmp_path / "templates" / "broken").mkdir(parents=True)
    settings = SummarySettings(templates=TemplateSettings(directory=tmp_path / "templates"))
    with pytest.raises(StageError, match="broken"):
        async with open_stage(settings, context.blobs):
            pass


class Inventor:
    """An engine that cites what there is not."""

    description = "Invents."
    capabilities = ()
    language_codes = ()
    weights = None

    def version(self, generation: Generation) -> common.EngineVersion:
        return common.EngineVersion(engine="inventor")

    async def map(
        self, segments: Sequence[Segment], template: Template, language_code: str
    ) -> Notes:
        return {}

    async def reduce(
        self,
        notes: Sequence[Notes],
        template: Template,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
        speakers: Mapping[str, str] = NOBODY,
    ) -> Draft:
        content: dict[str, Any] = {name: [] for name in template.schema["required"]}
        source = Source(pointer="/abstract", segment_ids=("c9999-s0000",))
        return Draft(content=content | {"title": "", "abstract": "Good."}, sources=(source,))


async def test_a_draft_with_a_made_up_source_is_no_summary(context: StageContext) -> None:
    stage = SummarizeStage(Inventor(), TemplateLibrary())
    with pytest.raises(StageError, match="names a segment that does not exist") as caught:
        await ask(stage, context, request(transcript=transcript(TALK)))
    assert caught.value.reason == "SUMMARY_INVALID"
