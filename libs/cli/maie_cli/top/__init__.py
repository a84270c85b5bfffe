"""`maie top`: the mesh live in a terminal."""
