"""How good the sound of recordings is, as JSON, CSV or a web page."""
