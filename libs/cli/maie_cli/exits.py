"""Exit codes and error lines of commands."""

from __future__ import annotations

import asyncio
import enum
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import typer

from maie.common.v1 import types_pb2 as common
from maie_cli.console import complain
from maie_cli.gateway import takes_tls_only
from maie_cli.mesh.errors import MeshError
from maie_cli.streams import OutputError
from maie_client import ClientError, StatusCode
from maie_core.reasons import Reason

T = TypeVar("T")


class Exit(enum.IntEnum):
    """The exit codes; higher ones are worse."""

    OK = 0
    FAILED = 1  # a job failed, or a mesh does not run
    USAGE = 2  # the command line, or the recording, can never work
    UNREACHABLE = 3  # no gateway answers, or it is too busy


EXIT_CODES = (
    "Exit codes: 0 all is well, 1 a job failed or was cancelled, 2 wrong usage or a recording "
    "that cannot be used, 3 the mesh cannot be reached or is too busy."
)

_BUSY = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.RESOURCE_EXHAUSTED,
        StatusCode.DEADLINE_EXCEEDED,
    }
)
_WRONG_INPUT = frozenset(
    {
        StatusCode.INVALID_ARGUMENT,
        StatusCode.NOT_FOUND,
        StatusCode.ALREADY_EXISTS,
        StatusCode.OUT_OF_RANGE,
        StatusCode.FAILED_PRECONDITION,
    }
)
INVALID_ARGUMENT = 3  # google.rpc.Code


def exit_of_error(error: ClientError) -> Exit:
    """The exit code for a gateway's error."""
    if error.reason == Reason.UPLOAD_TOO_LARGE:
        return Exit.USAGE
    if error.code in _BUSY or error.reason == Reason.NOT_A_GATEWAY:
        return Exit.UNREACHABLE
    return Exit.USAGE if error.code in _WRONG_INPUT else Exit.FAILED


def exit_of_failures(failures: list[common.Failure]) -> Exit:
    """The exit code for a failed job, by whether its recording is the cause."""
    wrong = any(failure.code == INVALID_ARGUMENT for failure in failures)
    return Exit.USAGE if wrong else Exit.FAILED


def sentence(error: ClientError) -> str:
    """The sentence for an error."""
    if error.reason == Reason.GATEWAY_UNREACHABLE and takes_tls_only(error.address):
        return f"The gateway at {error.address} takes TLS only; write https://{error.address}."
    if error.reason == Reason.GATEWAY_UNREACHABLE:
        return f"{error.message} Start one with: maie up"
    if error.reason == Reason.NOT_A_GATEWAY:
        return f"{error.message} Name the gateway with --gateway HOST:PORT or MAIE_GATEWAY."
    if error.reason == Reason.CREDENTIALS_MISSING:
        return f"{error.message} Name the file of your key in MAIE_API_KEY_FILE."
    if error.retry_after is not None and "try again" not in error.message:
        return f"{error.message} (try again in {error.retry_after.total_seconds():.0f} s)"
    return error.message


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command; an error becomes one line and an exit code, never a traceback."""
    try:
        with _interrupts():
            return asyncio.run(work)
    except ClientError as error:
        leave(sentence(error), exit_of_error(error))
    except MeshError as error:
        leave(str(error), Exit.FAILED)
    except BrokenPipeError:
        raise  # the reader of the results has closed the pipe; click ends quietly
    except OSError as error:
        leave(os_sentence(error), exit_of_os(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None  # 128 + SIGINT, as in shells


@contextmanager
def _interrupts() -> Iterator[None]:
    """Makes Ctrl-C cancel the work in order, instead of ending the process at once."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def exit_of_os(error: OSError) -> Exit:
    """The exit code for an unusable file, or for results that cannot be printed."""
    return Exit.FAILED if isinstance(error, OutputError) else Exit.USAGE


def os_sentence(error: OSError) -> str:
    """The sentence for an unusable file."""
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"There is no file {error.filename}"
    reason = error.strerror or str(error)
    return f"Cannot use {error.filename}: {reason}" if error.filename else reason


def leave(message: str, code: Exit) -> NoReturn:
    """Ends the command with a line on stderr."""
    complain(message)
    raise typer.Exit(code)
