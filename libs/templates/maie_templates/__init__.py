"""Summary templates: a JSON schema with a Jinja2 prompt each."""
