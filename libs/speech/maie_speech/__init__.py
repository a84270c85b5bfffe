"""Where somebody speaks in a recording. Knows no service, no settings and no transport."""
