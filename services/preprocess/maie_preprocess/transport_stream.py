"""The end of an MPEG transport stream (ISO 13818-1). Runs in the decoder."""

from __future__ import annotations

from typing import Final

from maie_preprocess.reader import Reader

_SYNC: Final = 0x47
# Packet sizes: plain, with a time code before each packet, with a checksum after it.
_SIZES: Final = (188, 192, 204)
_PAYLOAD_BYTES: Final = 188
# Audio packets are much closer together than this, between video packets.
SEARCH_BYTES: Final = 4 * 1024 * 1024
_CHECKED: Final = 5


def breaks_off(file: Reader, pid: int) -> bool:
    """Whether a file ends inside a packet of a track.

    Args:
        file: The recording.
        pid: The track's number in the transport.
    """
    data = file.at(max(0, file.size - SEARCH_BYTES), SEARCH_BYTES)
    for size in _SIZES:
        # From the end, because a piece may be missing earlier. First the last whole packet.
        for rest in (*range(_PAYLOAD_BYTES, size + 1), *range(1, _PAYLOAD_BYTES)):
            last = len(data) - rest
            places = data[last - (_CHECKED - 1) * size : last + 1 : size] if last >= 0 else b""
            if len(places) == _CHECKED and not places.strip(bytes([_SYNC])):
                return _lacks_end(data, range(last, -1, -size), pid)
    return False


def _lacks_end(data: bytes, places: range, pid: int) -> bool:
    """Whether the last packet of the transport or of the track is shorter than it states.

    Args:
        data: The end of the file.
        places: The offsets of the transport's packets in it, the last one first.
        pid: The track's number.
    """
    if places[0] + _PAYLOAD_BYTES > len(data):
        return True
    there = 0
    for place in places:
        packet = data[place : place + _PAYLOAD_BYTES]
        if packet[0] != _SYNC or int.from_bytes(packet[1:3], "big") & 0x1FFF != pid:
            continue
        payload = _payload(packet)
        there += len(payload)
        if packet[1] & 0x40:
            # The start of a PES packet; its length field, if any, excludes its header.
            stated = int.from_bytes(payload[4:6], "big")
            return bool(stated) and there < stated + 6
    return False


def _payload(packet: bytes) -> bytes:
    control = packet[3] >> 4 & 3
    if not control & 1:
        return b""
    return packet[5 + packet[4] :] if control & 2 else packet[4:]
