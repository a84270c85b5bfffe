"""The language model of the attacked mesh: a server whose answers an attack writes."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import web

from tests.llm.openai_server import MODEL, OpenAIServer, stream
from tests.summary.filling import Filler
from tests.summary.points import truthful

WINDOW_TOKENS = 60_000
LINE = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)


@dataclass(kw_only=True, frozen=True)
class Question:
    """What the model is asked.

    Attributes:
        text: The prompt, with all that it was told before.
        schema: What the answer must fit.
    """

    text: str
    schema: dict[str, Any]

    def lines(self) -> list[tuple[int, str]]:
        """The numbered lines of the transcript, which stand after those of the examples."""
        found = [(int(number), text) for number, text in LINE.findall(self.text)]
        starts = [at for at, (number, _) in enumerate(found) if number == 1]
        return found[starts[-1] :]

    def truth(self) -> dict[str, Any]:
        """An answer that repeats the first line and cites it."""
        filled: dict[str, Any] = truthful(Filler(self.schema, Random(0)).fill(), *self.lines()[0])
        return filled


Answer = Callable[[Question], Any]


@dataclass(kw_only=True)
class Model:
    """A model that says the truth, but for the answers that are put here.

    Attributes:
        url: Its server.
        lies: The next answers, each said once.
        asked: What it was asked since.
    """

    url: str
    lies: list[Answer] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)

    def lie(self, *answers: Answer) -> None:
        """Puts the next answers, and forgets what was asked."""
        self.lies[:] = answers
        self.asked.clear()

    async def react(self, request: web.Request) -> web.StreamResponse:
        """Answers a chat."""
        body = await request.json()
        text = "\n".join(each["content"] for each in body["messages"])
        schema = body["response_format"]["json_schema"]["schema"]
        question = Question(text=text, schema=schema)
        self.asked.append(question)
        answer = self.lies.pop(0)(question) if self.lies else question.truth()
        said = answer if isinstance(answer, str) else json.dumps(answer)
        return await stream(said)(request)


@contextmanager
def model_server() -> Iterator[Model]:
    """Serves a model from a thread of its own, for a mesh that outlives a test's event loop."""
    loop, model = asyncio.new_event_loop(), Model(url="")
    thread = threading.Thread(target=loop.run_forever, name="model")
    thread.start()
    cards = [{"id": MODEL, "max_model_len": WINDOW_TOKENS}]
    running = OpenAIServer(model.react, cards=cards).running()
    model.url = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result().url
    try:
        yield model
    finally:
        asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
