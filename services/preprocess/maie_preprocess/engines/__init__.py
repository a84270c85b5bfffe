"""Engines that find speech; each file is the only one that imports its library."""
