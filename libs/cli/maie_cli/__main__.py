"""The maie command."""

from maie_cli.app import app


def main() -> None:
    """Runs the command."""
    app()


if __name__ == "__main__":
    main()
