"""Server reflection in both versions of its protocol: v1, and v1alpha for older clients.

grpcio-reflection has only v1alpha. v1 is the same protocol in another package, so v1alpha's
descriptors describe it under its own name, and the same servicer answers both.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from functools import cache
from typing import Any

import grpc
from google.protobuf import descriptor_pool, text_format
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2

V1ALPHA_SERVICE: str = reflection.SERVICE_NAME
V1_SERVICE = V1ALPHA_SERVICE.replace(".v1alpha.", ".v1.")


def enable_reflection(services: Iterable[str], server: grpc.aio.Server) -> None:
    """Lets clients list and describe `services` and reflection itself."""
    describe_v1()
    handler = grpc.stream_stream_rpc_method_handler(
        _Servicer((*services, V1_SERVICE, V1ALPHA_SERVICE)).answer,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    for version in (V1_SERVICE, V1ALPHA_SERVICE):
        server.add_registered_method_handlers(version, {"ServerReflectionInfo": handler})


class _Servicer:
    """Answers with descriptors whose fields have JSON names.

    Generated Python omits these, and grpcurl 1.8.6 then shows a field as `job_id` although the
    JSON form of the message has `jobId`.
    """

    def __init__(self, services: Iterable[str]) -> None:
        # Its stubs declare the asynchronous generator as a coroutine.
        self._wrapped: Any = reflection.aio.ReflectionServicer(services)

    async def answer(
        self,
        requests: AsyncIterable[reflection_pb2.ServerReflectionRequest],
        context: grpc.aio.ServicerContext,
    ) -> AsyncIterator[reflection_pb2.ServerReflectionResponse]:
        """Answers each request."""
        async for response in self._wrapped.ServerReflectionInfo(requests, context):
            files = response.file_descriptor_response.file_descriptor_proto
            for index, serialized in enumerate(files):
                files[index] = _with_json_names(serialized)
            yield response


def _with_json_names(serialized: bytes) -> bytes:
    file = FileDescriptorProto.FromString(serialized)
    for message in file.message_type:
        _set_json_names(message, f"{file.package}.{message.name}".lstrip("."))
    return file.SerializeToString()


def _set_json_names(message: DescriptorProto, full_name: str) -> None:
    described = descriptor_pool.Default().FindMessageTypeByName(full_name)
    for field in message.field:
        field.json_name = described.fields_by_name[field.name].json_name
    for nested in message.nested_type:
        _set_json_names(nested, f"{full_name}.{nested.name}")


@cache
def describe_v1() -> None:
    """Adds v1 to the descriptors that reflection uses."""
    v1alpha = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(v1alpha)
    v1alpha.ClearField("options")
    v1 = text_format.Parse(str(v1alpha).replace("v1alpha", "v1"), FileDescriptorProto())
    descriptor_pool.Default().AddSerializedFile(v1.SerializeToString())
