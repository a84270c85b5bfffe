"""Files: their names, their types, and parts of them."""
