"""The page's own code verifies what is really sent."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.json_format import ParseDict

from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_gateway.webhooks import deliveries
from maie_gateway.webhooks.cloud_event import body
from maie_gateway.webhooks.finals.feed import Feed, final_delivery
from maie_gateway.webhooks.schedule import retry_delay
from maie_gateway.webhooks.settings import WebhookSettings
from maie_gateway.webhooks.signatures import headers
from tests.gateway.webhooks.receiver import SECRET, finished

pytestmark = pytest.mark.unit
PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
Verify = Callable[[str, str, str, bytes], bool]


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def python_of_page(name: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    for each in snippets("python"):
        exec(each, names)
    return cast("Callable[..., Any]", names[name])


def python_verify(*args: Any) -> bool:
    return bool(python_of_page("is_from_maie")(*args))


def node_verify(secret: str, timestamp: str, signature: str, content: bytes) -> bool:
    if not (node := shutil.which("node")):
        pytest.skip("node was not found")
    texts = ", ".join(map(json.dumps, (secret, timestamp, signature)))
    call = f"isFromMaie({texts}, Buffer.from('{content.hex()}', 'hex'))"
    script = f"{snippets('javascript')[0]}\nconsole.log({call})"
    ran = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    return {"true": True, "false": False}[ran.stdout.strip()]


@pytest.mark.parametrize("verify", [python_verify, node_verify])
def test_the_code_of_the_page_tells_true_from_false(verify: Verify) -> None:
    source = finished("job-1", "https://a.test/")
    source.display_name = "Große Runde 会議"
    (told,) = deliveries(None, source, {})
    content = body(told, "maie")
    sent = headers(SECRET, told.event_id, content)
    timestamp, signature = sent["maie-timestamp"], sent["maie-signature"]
    assert verify(SECRET, timestamp, signature, content)
    assert not verify("another secret", timestamp, signature, content)
    assert not verify(SECRET, timestamp, signature, content + b" ")
    assert not verify(SECRET, timestamp, signature[:-1], content)
    assert not verify(SECRET, str(int(timestamp) + 1), signature, content)
    old = headers(SECRET, told.event_id, content, now=time.time() - 3600)
    assert not verify(SECRET, old["maie-timestamp"], old["maie-signature"], content)
    assert not verify(SECRET, "now", signature, content)


@pytest.mark.parametrize("secret", [SECRET, "whsec_" + base64.b64encode(bytes(32)).decode()])
def test_the_page_verifies_with_the_library_of_standard_webhooks(secret: str) -> None:
    (told,) = deliveries(None, finished("job-1", "https://a.test/"), {})
    content = body(told, "maie")
    sent, verify = headers(secret, told.event_id, content), python_of_page("event_of")
    assert verify(secret, sent, content)["id"] == told.event_id
    assert verify(secret, sent, content + b" ") is None
    assert verify("another secret of theirs", sent, content) is None


def test_the_example_of_the_page_has_the_form_of_what_is_sent() -> None:
    (told,) = deliveries(None, finished("job-1", "https://a.test/"), {})
    shown = json.loads(snippets("json")[0])
    sent = json.loads(body(told, WebhookSettings().source))
    assert sent.keys() == shown.keys()
    assert sent["data"].keys() == shown["data"].keys()
    assert (sent["type"], sent["source"]) == (shown["type"], shown["source"])


def test_the_example_of_a_final_is_what_is_sent() -> None:
    shown = json.loads(snippets("json")[1])
    final = ParseDict(shown["data"], live.Final())
    finished_one = session.UtteranceFinished(final=final, mark=session.TrackMark(number=1))
    entry = session.SessionEntry(session_id=shown["subject"], finished=finished_one)
    entry.entry_time.FromJsonString(shown["time"])
    feed = Feed(session_id=shown["subject"], receiver="0", track=1)
    told = final_delivery(feed, "default", "https://a.test/", entry)
    sent = json.loads(body(told, WebhookSettings().source))
    assert sent == shown


def test_the_retry_table_of_the_page_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    settings, ages = WebhookSettings(), [0.0]
    for _ in range(16):
        delay = retry_delay(
            ages[-1], shortest=settings.retry_min_seconds, longest=settings.retry_max_seconds
        )
        ages.append(ages[-1] + delay)
    assert ages[:7] == [0, 1, 2, 4, 8, 16, 32]
    assert [round(age / 60) for age in ages[7:13]] == [1, 2, 4, 9, 17, 34]
    assert [round(age / 60) for age in ages[13:15]] == [68, 128]
    assert settings.give_up_hours == 24
