"""Live speech over a WebSocket: words arrive, and nothing is lost or doubled."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from maie_client import Client
from maie_web.live import passing
from tests.chaos.silence import SilentProxy
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.speech import pieces, said, word
from tests.waiting import until
from tests.web.conftest import Web, web_before
from tests.web.live.page import CONFIG, Page, a_page

pytestmark = pytest.mark.mesh


async def test_words_arrive_and_the_session_becomes_a_job(live_web: Web) -> None:
    async with a_page(live_web.url) as page:
        started = await page.start()
        assert started["max_tracks"] == 16
        await page.speak(said([1, 2, 3]))
        await page.next("final", 3)
        assert page.finals() == [(1, "w1"), (2, "w2"), (3, "w3")]
        assert page.of("turn")
        await until(lambda: page.durable() >= 17)
        await page.send(end={})
        (ended,) = await page.next("ended")
        assert ended["ended"]["final_count"] == 3
        await page.over.wait()
        assert (page.code, page.problem) == (1000, None)
    shown = await live_web.http.get(f"/v1/jobs/{started['session_id']}")
    assert shown.json()["job_id"] == ended["ended"]["job_id"] == started["session_id"]


async def test_tracks_join_are_configured_finalized_and_leave(live_web: Web) -> None:
    async with a_page(live_web.url) as page:
        await page.start()
        await page.send(join={"track": "bob", "display_name": "Bob"})
        for piece in pieces(said([1])):
            await page.socket.send(piece)
        await page.speak(word(2), "ann")
        await page.send(configure={"options": {"transcribe": {"hotwords": ["maie"]}}})
        await page.send(finalize={"track": "ann"})
        await page.send(silence={"track": "ann", "duration": "1s"})
        await page.send(keep_alive={})
        await page.next("final", 2)
        texts = {
            each["final"]["track"]: each["final"]["segment"]["text"] for each in page.of("final")
        }
        assert texts == {"bob": "w1", "ann": "w2"}
        await page.send(leave={"track": "bob"})
        await page.send(end={})
        await page.next("ended")


class Speaker:
    """A page that counts what it sends, keeps what is not durable, and sends that again."""

    def __init__(self, sound: bytes) -> None:
        self.messages = list(pieces(sound))
        self.seen: dict[int, str] = {}
        self.session: dict[str, str] = {}

    async def go_on(self, page: Page, up_to: int) -> None:
        """Begins or resumes, and sends everything that is not durable, up to a message."""
        after = max(self.seen, default=0)
        start = (
            {**self.session, "after_sequence": str(after)} if self.session else {"config": CONFIG}
        )
        started = await page.start(**start)
        self.session = self.session or {
            "session_id": started["session_id"],
            "resume_token": started["resume_token"],
        }
        durable = max((int(each["durable_sequence"]) for each in started["tracks"]), default=0)
        await self.send(page, durable, up_to)

    async def send(self, page: Page, start: int, end: int) -> None:
        """Sends some messages."""
        for message in self.messages[start:end]:
            await page.socket.send(message)

    def note(self, page: Page) -> None:
        """Keeps the finals; each comes once."""
        for number, text in page.finals():
            assert number not in self.seen
            self.seen[number] = text


@pytest.mark.parametrize("cut", [1, 9, 20, 37])
async def test_a_cut_connection_resumes_without_losing_or_doubling_a_final(
    live_web: Web, cut: int
) -> None:
    words = list(range(1, 8))
    speaker = Speaker(said(words))
    async with (
        SilentProxy(live_web.url.removeprefix("http://")) as proxy,
        a_page(f"http://{proxy.address}") as page,
    ):
        await speaker.go_on(page, cut)
        await until(lambda: len(page.finals()) >= max(0, (cut - 8) // 7))
        proxy.hang_up()
        await page.over.wait()
        speaker.note(page)
    async with a_page(live_web.url) as page:
        await speaker.go_on(page, len(speaker.messages))
        await page.send(end={})
        await page.next("ended")
        speaker.note(page)
    assert sorted(speaker.seen) == list(range(1, len(speaker.seen) + 1))
    texts = [text for _, text in sorted(speaker.seen.items())]
    # A word that the cut went through may be divided; none is missing and none comes later again.
    assert [text for at, text in enumerate(texts) if texts[at - 1 : at] != [text]] == [
        f"w{each}" for each in words
    ]


async def test_a_page_that_resumes_takes_over_from_the_connection_before(live_web: Web) -> None:
    speaker = Speaker(said([1, 2, 3]))
    async with a_page(live_web.url) as before:
        await speaker.go_on(before, 5)
        async with a_page(live_web.url) as page:
            await speaker.go_on(page, len(speaker.messages))
            await page.next("final", 3)
            assert await before.failure() == (4409, "SESSION_TAKEN_OVER")
            await page.send(end={})
            await page.next("ended")
            assert page.finals() == [(1, "w1"), (2, "w2"), (3, "w3")]


async def test_a_web_part_that_stops_says_go_away_and_another_goes_on(live_web: Web) -> None:
    speaker = Speaker(said([1, 2, 3]))
    async with web_before(live_web.grpc) as stopping:
        page_of_it = a_page(stopping.url)
        page = await page_of_it.__aenter__()
        await speaker.go_on(page, 10)
        await page.next("final", 1)
    await page.over.wait()
    assert "go_away" in page.events[-1]
    assert (page.code, page.problem) == (1012, None)
    speaker.note(page)
    await page_of_it.__aexit__(None, None, None)
    async with a_page(live_web.url) as page:
        await speaker.go_on(page, len(speaker.messages))
        await page.send(end={})
        await page.next("ended")
        speaker.note(page)
    assert set(speaker.seen.values()) == {"w1", "w2", "w3"}


async def test_a_page_gets_heartbeats_while_nothing_else_comes(live_web: Web) -> None:
    async with a_page(live_web.url) as page:
        await page.start()
        beats = await page.next("acknowledged", 2)
        assert all(not each["acknowledged"]["tracks"] for each in beats)


async def test_a_slow_page_gets_every_final_and_holds_up_nobody(live_web: Web) -> None:
    async with (
        a_page(live_web.url, max_queue=1) as slow,
        a_page(live_web.url) as quick,
    ):
        slow.socket.transport.pause_reading()
        await slow.send(start={"config": CONFIG})
        await slow.speak(said([1, 2, 3]))
        await quick.start()
        await quick.speak(said([4]))
        await quick.next("final")
        assert not slow.events
        slow.socket.transport.resume_reading()
        await slow.next("final", 3)
        assert [text for _, text in slow.finals()] == ["w1", "w2", "w3"]


async def test_a_page_that_takes_nothing_is_left_and_gets_it_when_it_resumes(
    live_mesh: LiveMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "UNREAD_SECONDS", 1.0)
    words = list(range(1, 41))
    async with (
        live_mesh.running() as (address, replica),
        Client(address) as client,
        web_before(client) as web,
    ):
        # Together more than all buffers on the way take.
        texts = {each: f"w{each} " + "long " * 20_000 for each in words}
        replica.asr.vocabulary = texts
        speaker = Speaker(said(words))
        with capture_logs() as lines:
            async with a_page(web.url, max_queue=1) as page:
                await speaker.go_on(page, 1)
                page.socket.transport.pause_reading()
                await speaker.send(page, 1, len(speaker.messages))
                await until(lambda: [each for each in lines if each["event"] == "session.left"])
                page.socket.transport.resume_reading()
                await page.over.wait()
                speaker.note(page)
        assert len(speaker.seen) < len(words)
        async with a_page(web.url) as page:
            await speaker.go_on(page, len(speaker.messages))
            await page.send(end={})
            await page.next("ended")
            speaker.note(page)
    assert [speaker.seen[each] for each in words] == [texts[each] for each in words]


async def test_a_page_notices_nothing_of_a_break_behind_the_web_part(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.running() as (address, _),
        SilentProxy(address) as proxy,
        Client(proxy.address) as client,
        web_before(client) as web,
        a_page(web.url) as page,
    ):
        await page.start()
        sound = list(pieces(said([1, 2, 3, 4])))
        for message in sound[:12]:
            await page.socket.send(message)
        await page.next("final", 1)
        proxy.hang_up()
        for message in sound[12:]:
            await page.socket.send(message)
        await page.send(end={})
        await page.next("ended")
        assert [text for _, text in page.finals()] == ["w1", "w2", "w3", "w4"]
        assert len(page.of("started")) == 1
