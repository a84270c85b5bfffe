"""The quality of a folder of recordings: rows, limits, and a page to look at."""
