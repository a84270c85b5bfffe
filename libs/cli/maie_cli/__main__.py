"""The maie command."""

import io
import sys

from maie_cli.app import app


def main() -> None:
    """Runs the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a letter that it cannot show is no reason to fail
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
