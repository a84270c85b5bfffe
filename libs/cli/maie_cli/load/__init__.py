"""Load tests: many jobs or live streams at once, and what came of them."""
