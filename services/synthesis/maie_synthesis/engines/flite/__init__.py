"""Flite: small English voices that need no GPU and no download.

Imports nothing, for a quick start of the processes, which import `process` alone.
"""
