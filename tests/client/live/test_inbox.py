"""What gives way to what, while nobody reads."""

from __future__ import annotations

import pytest

from maie.live.v1 import live_pb2 as live
from maie_client.live.inbox import Inbox

pytestmark = pytest.mark.unit


async def test_the_partials_of_channels_do_not_replace_each_other() -> None:
    inbox = Inbox(0)
    for text, channel in (("what is", 2), ("hello", 1), ("what is it", 2)):
        partial = live.Partial(track="call", stable_text=text, channel=channel)
        inbox.put(live.TranscribeResponse(partial=partial))
    inbox.close()
    read = []
    while (event := await inbox.next()) is not None:
        read.append((event.partial.channel, event.partial.stable_text))
    assert read == [(1, "hello"), (2, "what is it")]
