"""Calls of a server of models that speaks the KServe v2 protocol, such as NVIDIA Triton.

NVIDIA's own client wants an older protobuf than this project; these are the few calls of the public
specification that an engine needs.
"""
