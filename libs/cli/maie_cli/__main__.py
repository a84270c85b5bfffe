"""The maie command."""

import os
import sys

try:
    import signal
except KeyboardInterrupt:  # only during this import Ctrl-C is not yet handled
    sys.exit(130)


def main() -> None:
    """Runs the command. Every error is a sentence, never a traceback."""
    # Before there is work to cancel, Ctrl-C ends the process at once and silently, even
    # during an import. A shell's setting to ignore it for background jobs is kept.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # gRPC would write on the terminal when a gateway goes; the command says it in a sentence.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from contextlib import suppress

    from maie_cli.streams import close_output, open_streams

    open_streams()
    from maie_cli.guard import guarded

    code = guarded(_app)
    if code:  # the error is printed already
        with suppress(OSError):
            close_output()
    code = code or guarded(close_output)
    if not sys.modules.keys().isdisjoint(("livekit.rtc", "obstore")):
        # Their threads call Python to the end, and abort a process whose Python ends.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _app() -> None:
    from maie_cli.app import app

    app()


if __name__ == "__main__":
    main()
