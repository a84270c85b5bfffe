"""A reading compared with its text, as JSON, Markdown, a TextGrid of Praat, CTM or a web page."""
