"""The error of a local mesh."""


class MeshError(Exception):
    """One sentence: what is wrong and how to fix it."""
