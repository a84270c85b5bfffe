from maie.share.v1 import share_pb2 as _share_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredShare(_message.Message):
    __slots__ = ("share", "sha256")
    SHARE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    share: _share_pb2.Share
    sha256: bytes
    def __init__(self, share: _Optional[_Union[_share_pb2.Share, _Mapping]] = ..., sha256: _Optional[bytes] = ...) -> None: ...
