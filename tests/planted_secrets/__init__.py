"""No secret is shown: not in logs, messages, errors or reports."""
