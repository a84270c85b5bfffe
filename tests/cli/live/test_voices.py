"""Who speaks, as captions name it, and what a terminal shows of each."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from maie.live.v1 import live_pb2 as live
from maie_cli.live.screen import Screen
from maie_cli.live.voices import voice

pytestmark = pytest.mark.unit


class Session:
    trouble = ""


def partial(text: str, channel: int) -> live.TranscribeResponse:
    return live.TranscribeResponse(
        partial=live.Partial(track="call", stable_text=text, channel=channel)
    )


@pytest.mark.parametrize(
    ("names", "channel", "expected"),
    [
        ({"call": ""}, 0, ""),
        ({"call": ""}, 2, "Channel 2"),
        ({"call": "Support"}, 0, "Support"),
        ({"call": "Support"}, 1, "Support, channel 1"),
        ({}, 1, "call, channel 1"),
    ],
)
def test_a_voice_has_the_name_of_its_track_and_channel(
    names: dict[str, str], channel: int, expected: str
) -> None:
    assert voice(names, "call", channel) == expected


def test_each_channel_has_a_line_of_its_own_until_its_final() -> None:
    screen = Screen({"call": ""}, Session())
    console = Console(file=io.StringIO(), width=80, height=10)

    def shown() -> list[str]:
        with console.capture() as capture:
            console.print(screen)
        return [line.split(" ", 1)[1] for line in capture.get().splitlines()[:-1]]

    for text, channel in (("what is", 2), ("hello", 1), ("what is it", 2)):
        screen.take(partial(text, channel))
    assert [line.strip() for line in shown()] == ["Channel 1: hello", "Channel 2: what is it"]
    final = live.Final(track="call", segment={"text": "Hello.", "channel": 1})
    said = screen.take(live.TranscribeResponse(final=final))
    assert [each.plain for each in said] == ["00:00 Channel 1: Hello."]
    assert [line.strip() for line in shown()] == ["Channel 2: what is it"]
