"""Attacks on a mesh, each with the answer that it must get; `make attacks` prints them."""
