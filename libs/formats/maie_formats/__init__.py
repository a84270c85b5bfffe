"""A finished job as text, Markdown, JSON or subtitles. Knows no transport and no terminal."""
