"""From an upload to a job, what people do to their jobs, and whose they are."""
