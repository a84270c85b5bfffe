"""Starts a gateway."""

from maie_runtime.worker.malloc import drop_thread_caches


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    drop_thread_caches()
    # Not before: a process that starts again would import it all twice.
    from maie_gateway.start import start

    start()


if __name__ == "__main__":
    main()
