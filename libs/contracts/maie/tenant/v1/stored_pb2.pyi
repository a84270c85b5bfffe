from maie.tenant.v1 import tenant_pb2 as _tenant_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredTenant(_message.Message):
    __slots__ = ("limits", "removing")
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    REMOVING_FIELD_NUMBER: _ClassVar[int]
    limits: _tenant_pb2.TenantLimits
    removing: bool
    def __init__(self, limits: _Optional[_Union[_tenant_pb2.TenantLimits, _Mapping]] = ..., removing: _Optional[bool] = ...) -> None: ...
