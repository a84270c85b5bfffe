"""Live speech for browsers: the contract's messages over a WebSocket."""
