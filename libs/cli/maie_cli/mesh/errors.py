"""What keeps a local mesh from running."""


class MeshError(Exception):
    """One sentence: what is wrong and how to mend it."""
