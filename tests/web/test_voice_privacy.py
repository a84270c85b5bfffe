"""No embedding and no profile's key leaves a mesh: by no route, file, event, tool, hook or log."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from array import array
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maie.diarization.v1 import diarization_pb2 as diarization
from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_formats.as_json import to_dict
from maie_formats.quality.writers import QUALITY_WRITERS
from maie_formats.readings.writers import READING_WRITERS
from maie_gateway.voices.embeddings import pack, unpack
from maie_gateway.voices.entries import VoiceEntries
from maie_runtime.bus.broker import Broker
from maie_runtime.vault.key_file import new_line
from maie_web.downloads.media_types import RESULTS
from tests.embeddings import leaks, secret_leaks
from tests.gateway.conftest import EmptyMesh
from tests.gateway.vault.conftest import written
from tests.gateway.vault.test_backups import all_secrets
from tests.gateway.webhooks.receiver import SECRET, Receiver
from tests.mcp.conftest import connected
from tests.people import AGREED, Answer, allow_voices, person, speaking
from tests.waiting import until
from tests.web.conftest import Web, web_before

PEOPLE = (person("anna"), person("ben"))
FEATURES = (
    *("raw_transcript", "clean_transcript", "summary", "speakers"),
    *("digest", "quality", "reading"),
)
SOUND = {"file": ("a.wav", b"sound")}


@pytest.mark.unit
@pytest.mark.parametrize("shift", range(3))
def test_an_embedding_is_found_in_each_form(shift: int) -> None:
    anna, ben = PEOPLE
    message = diarization.SpeakerVoice(speaker="S" * shift, embedding=anna)
    raw = message.SerializeToString()
    floats = json.dumps([round(value, 6) for value in array("f", anna)])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", base64.b64encode(raw))
    for content, form in (
        (raw, "raw"),
        (base64.b64encode(raw), "base64"),
        (base64.urlsafe_b64encode(raw), "urlsafe base64"),
        (json.dumps(to_dict(message)).encode(), "base64"),
        (raw.hex().upper().encode(), "hex"),
        (repr(raw).encode(), "repr"),
        (str(message).encode(), "escaped"),
        (json.dumps(str(message)).encode(), "escaped"),
        (floats.encode(), "numbers"),
        (archive.getvalue(), "base64"),
    ):
        assert form in leaks(content, anna)
        assert leaks(content, ben) == []


class Seen:
    """What came out of a mesh, by where."""

    def __init__(self) -> None:
        self.of: dict[str, bytes] = {}

    def add(self, where: str, content: bytes | str) -> None:
        """Notes what came out somewhere."""
        data = content.encode() if isinstance(content, str) else content
        assert data, where
        self.of[where] = data

    def hold(self, *words: str) -> bool:
        """Whether each of these words came out anywhere."""
        return all(any(word.encode() in each for each in self.of.values()) for word in words)


@pytest.mark.mesh
async def test_no_embedding_and_no_key_leaves_by_any_door(
    empty_mesh: EmptyMesh, broker: Broker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    master = written(tmp_path / "master.key", new_line())
    empty_mesh.gateway_options |= {
        "master_key": master,
        "webhooks": {"allowed_networks": ["127.0.0.0/8"]},
    }
    empty_mesh.stages["diarization"].answer = _punctuated(speaking(*PEOPLE))
    metrics = f"http://127.0.0.1:{empty_mesh.measure_gateway()}/metrics"
    seen = Seen()
    async with (
        Receiver().running() as receiver,
        empty_mesh.running() as client,
        web_before(client) as web,
    ):
        await allow_voices(client)
        made = await _job(client, receiver.url)
        enrolled = await client.voices.enroll(made.job_id, "S1", "Anna", AGREED)
        more = await client.voices.add(
            enrolled.voice_id, made.job_id, "S2", AGREED, segment_ids=["c0000-s0002"]
        )
        share = await client.shares.create(made.job_id, audio=True)
        known = {
            "job_id": made.job_id,
            "voice_id": enrolled.voice_id,
            "share_id": share.share.share_id,
            "template_id": "meeting_notes_v1",
            "revision": "0",
        }
        await _sent(web, share.token, seen)  # which also opens the share
        await _read(web, known, seen)
        await _asked(web, made.job_id, seen)
        seen.add("metrics", (await web.http.get(metrics)).content)
        seen.add("gRPC EnrollVoice", more.SerializeToString())
        seen.add(
            "gRPC WatchJob",
            b"".join([each.SerializeToString() async for each in client.watch_job(made.job_id)]),
        )
        await until(lambda: bool(receiver.received))
        seen.add("webhook", b"".join(each.body for each in receiver.received))
        await client.voices.rename(enrolled.voice_id, "Anna B", more.revision)
        (key_id,) = {head.key_id for _, head in await VoiceEntries(broker).heads()}
        secrets = [*await all_secrets(broker, master, key_id)]
        await client.voices.delete(enrolled.voice_id)
    logged = capfd.readouterr()
    seen.add("logs", logged.out + logged.err)

    # They saw what they may, so that they would have seen the rest.
    assert seen.hold("voice.enrolled", "sounds", "Turn 2.", "S2", "is_likely", enrolled.voice_id)
    for where, content in seen.of.items():
        for embedding in _embeddings():
            assert (where, leaks(content, embedding)) == (where, [])
        for secret in secrets:
            assert (where, secret_leaks(content, secret)) == (where, [])


def _punctuated(answer: Answer) -> Answer:
    """The same with texts that need no enhancement, whose stage here knows none of them."""

    def punctuated(*asked: Any) -> list[diarization.DiarizeResponse]:
        (made,) = answer(*asked)
        if made.HasField("transcript"):
            made.transcript.punctuated = True
        return [made]

    return punctuated


def _embeddings() -> Iterator[bytes]:
    """As stages give them, and as profiles have them, which may differ in the last bit."""
    for each in PEOPLE:
        yield each
        embedding = unpack(each)
        assert embedding is not None
        yield pack(embedding)


async def _job(client: Client, hook: str) -> job.Job:
    async def recording() -> AsyncIterator[bytes]:
        yield b"sounds"

    made = await client.create_job(
        recording(),
        features=FEATURES,
        template_id="meeting_notes_v1",
        reading_text="Hello.",
        webhooks=[job.Webhook(url=hook, secret=SECRET)],
    )
    async for _ in client.watch_job(made.job_id):
        pass
    return await client.get_job(made.job_id)


async def _read(web: Web, known: dict[str, str], seen: Seen) -> None:
    """Gets all that can be got, by the documentation, with what is known."""
    paths: dict[str, Any] = (await web.http.get("/docs/openapi.json")).json()["paths"]
    for path in (path for path, methods in paths.items() if "get" in methods):
        formats = _formats(path)
        for format_ in formats:
            try:
                place = path.format_map({**known, "format_": format_})
            except KeyError:
                continue
            got = await web.http.get(place, params=_QUERIES.get(path, {}))
            if "_id}" in path or "/voices" in path:
                # Empty stages draw no waveform.
                assert got.status_code == (404 if path.endswith("/waveform") else 200), place
            seen.add(f"GET {place}", got.content or str(got.status_code))


def _formats(path: str) -> Iterable[str]:
    if "{format_}" not in path:
        return ("",)
    if "/reading/" in path:
        return READING_WRITERS
    return QUALITY_WRITERS if "/quality/" in path else RESULTS


_QUERIES = {"/v1/search": {"query": "Turn"}}


async def _sent(web: Web, token: str, seen: Seen) -> None:
    """Posts what answers with results."""
    for path, options in (
        ("/v1/shared", {"json": {"token": token}}),
        (
            "/v1/process",
            {"files": SOUND, "data": {"features": "raw_transcript,speakers"}},
        ),
        (
            "/v1/audio/transcriptions",
            {"files": SOUND, "data": {"model": "whisper-1", "response_format": "diarized_json"}},
        ),
        (
            "/v1/listen?diarize=true&utterances=true",
            {"content": b"sounds", "headers": {"content-type": "audio/wav"}},
        ),
    ):
        answer = await web.http.post(path, **options)
        assert answer.status_code in (200, 201, 202), (path, answer.text)
        seen.add(f"POST {path}", answer.content)


async def _asked(web: Web, job_id: str, seen: Seen) -> None:
    """Has a model call all tools that read, and read all resources."""
    async with connected(web) as model:
        for tool in (await model.client.list_tools()).tools:
            needed = {"job_id": job_id, "query": "Turn"}
            wanted = {
                name: needed[name]
                for name in tool.input_schema.get("required", [])
                if name in needed
            }
            answer = await model.client.call_tool(tool.name, wanted)
            seen.add(f"MCP {tool.name}", answer.model_dump_json())
        for kind in ("transcript", "document"):
            read = await model.client.read_resource(f"maie://jobs/{job_id}/{kind}")
            seen.add(f"MCP {kind}", read.model_dump_json())
