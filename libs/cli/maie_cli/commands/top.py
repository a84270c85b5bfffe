"""`maie top`."""

from __future__ import annotations

import asyncio
import signal
import time

import typer
from rich.live import Live

from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption
from maie_cli.console import emit, out
from maie_cli.exits import run
from maie_cli.gateway import gateway_client
from maie_cli.signals import handled
from maie_cli.top.keys import pressed
from maie_cli.top.screen import Screen
from maie_client import Client, ClientError
from maie_core.reasons import Reason
from maie_formats.as_json import to_json
from maie_runtime.background import background_tasks

REFRESH_SECONDS = 1.0
AWAY = "The gateway is away."
# What ends it in order: Ctrl-C, a supervisor, and a closed terminal.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(add_completion=False)


@app.command()
def top(as_json: JsonOption = False, gateway: GatewayOption = DEFAULT_GATEWAY) -> None:
    """Show the mesh live: queues, workers, what runs, throughput, live speech and failures.

    q or Ctrl-C ends it. Without a terminal it prints once what it would show; with --json, what
    the gateway says.
    """
    run(_top(gateway, as_json=as_json))


async def _top(gateway: str, *, as_json: bool) -> None:
    async with gateway_client(gateway, "") as client:
        screen = Screen(gateway=gateway, mesh=await client.get_mesh(), said=time.monotonic())
        if as_json:
            emit(to_json(screen.mesh))
        elif not out.is_terminal or out.is_dumb_terminal:
            out.print(screen)
        else:
            await _live(screen, client)


async def _live(screen: Screen, client: Client) -> None:
    """Shows the mesh until a key or a signal ends it."""
    ended, redraw = asyncio.Event(), asyncio.Event()

    def on_key(key: str) -> None:
        if key in "qQ":
            ended.set()

    with (
        Live(screen, console=out, auto_refresh=False, screen=True) as display,
        handled(STOP_SIGNALS, ended.set),
        handled((signal.SIGWINCH,), redraw.set),
        pressed(on_key) as screen.keys,
    ):
        async with background_tasks(_follow(screen, client, redraw), _draw(display, redraw)):
            await ended.wait()


async def _follow(screen: Screen, client: Client, redraw: asyncio.Event) -> None:
    """Asks the gateway every second; one that is away may come back."""
    while True:
        began = time.monotonic()
        try:
            screen.mesh = await client.get_mesh()
            screen.said, screen.trouble = time.monotonic(), ""
        except ClientError as error:
            is_away = error.reason == Reason.GATEWAY_UNREACHABLE
            screen.trouble = AWAY if is_away else error.message
        redraw.set()
        await asyncio.sleep(max(0.0, began + REFRESH_SECONDS - time.monotonic()))


async def _draw(display: Live, redraw: asyncio.Event) -> None:
    """Draws at each answer and each change of the terminal's size, and every second at least."""
    while True:
        display.refresh()
        redraw.clear()
        try:
            async with asyncio.timeout(REFRESH_SECONDS):
                await redraw.wait()
        except TimeoutError:
            continue
