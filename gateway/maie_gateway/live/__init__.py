"""Live speech: sessions whose truth is a log, and the ASR calls of their tracks."""
