"""What a process is to those who read its metrics and traces."""

from __future__ import annotations


def process_attributes(service: str, instance: str, version: str) -> dict[str, str]:
    """The resource attributes of OpenTelemetry's conventions for a process of a mesh.

    Args:
        service: The part's name, such as "gateway" or "asr".
        instance: The process's name, unique in the mesh.
        version: The version of the part.
    """
    return {
        "service.namespace": "maie",
        "service.name": f"maie-{service}",
        "service.instance.id": instance,
        "service.version": version,
    }
