"""The maie command."""

import sys

try:
    import signal
except KeyboardInterrupt:  # of all that is imported, only this comes before Ctrl-C is silent
    sys.exit(130)


def main() -> None:
    """Runs the command. Whatever happens, a person reads a sentence and never a traceback."""
    # Until there is work to end in order, Ctrl-C ends the process at once and in silence, also
    # in the middle of an import. A shell that ignores it for a job in the background is obeyed.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from contextlib import suppress

    from maie_cli.streams import close_output, open_streams

    open_streams()
    from maie_cli.guard import guarded

    code = guarded(_app)
    if code:  # and a person knows why
        with suppress(OSError):
            close_output()
    sys.exit(code or guarded(close_output))


def _app() -> None:
    from maie_cli.app import app

    app()


if __name__ == "__main__":
    main()
