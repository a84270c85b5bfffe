"""The mesh over HTTP: a client of its gateways, and no more than any other client of theirs."""
