"""The certificates of a mesh, in a folder."""
