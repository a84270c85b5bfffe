"""The summary stage: fills a template's JSON schema from a transcript."""
