"""A camera and microphone on the network, as small as RFC 2326 allows: one client, everything in its connection."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

av = pytest.importorskip("av", reason='PyAV is not installed: pip install "edge-tl[usb]"')


def h264(pictures: list[np.ndarray]) -> list[list[bytes]]:
    """The units of each picture uint8 (height, width, 3), the first ones with what a decoder needs to begin."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = pictures[0].shape[:2]
    encoder.pix_fmt, encoder.framerate = "yuv420p", 10
    encoder.options = {"tune": "zerolatency", "preset": "ultrafast", "x264-params": "repeat-headers=1:keyint=1"}
    made = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        data = b"".join(bytes(packet) for packet in encoder.encode(frame))
        made.append([unit for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit])
    return made


def camera_parts(pictures: list[np.ndarray]) -> tuple[str, list[bytes]]:
    """SDP and RTP packets of a camera that shows these, ten a second."""
    units = h264(pictures)
    first = [unit for unit in units[0] if unit[0] & 31 in (7, 8)]
    sets = ",".join(base64.b64encode(unit).decode() for unit in first)
    sdp = f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 sprop-parameter-sets={sets}\r\n"
    packets, count = [], 0
    for number, of_one in enumerate(units):
        for unit in of_one:
            last = 0x80 if unit is of_one[-1] else 0
            packets.append(struct.pack(">BBHII", 0x80, 96 | last, count, 9000 * number, 7) + unit)
            count += 1
    return sdp, packets


def microphone_parts(samples: np.ndarray, rate_hz: int, block: int = 320) -> tuple[str, list[bytes]]:
    """SDP and RTP packets of a microphone that hears these, float32 (n,)."""
    data = (samples * 32767).astype(">i2")
    packets = [
        struct.pack(">BBHII", 0x80, 97, number, number * block, 7) + data[number * block :][:block].tobytes()
        for number in range(len(data) // block)
    ]
    return f"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 L16/{rate_hz}/1\r\n", packets


@contextmanager
def serving(sdp: str, packets: list[bytes]) -> Iterator[str]:
    """The address of a server that sends these to whoever plays, and then hangs up; then it takes another client."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, sdp, packets), daemon=True)
        thread.start()
        yield f"rtsp://somebody:secret@127.0.0.1:{server.getsockname()[1]}/stream"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _accept(server: socket.socket, sdp: str, packets: list[bytes]) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client:
            try:
                _talk(client, sdp, packets)
            except OSError:
                continue


def _talk(client: socket.socket, sdp: str, packets: list[bytes]) -> None:
    client.settimeout(10)
    lines = client.makefile("rb")
    while head := lines.readline().decode():
        method, number = head.split()[0], "0"
        while (line := lines.readline().decode().strip()) != "":
            if line.lower().startswith("cseq:"):
                number = line.split(":")[1].strip()
        body = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{sdp}a=control:track\r\n"
        body = body if method == "DESCRIBE" else ""
        more = {
            "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
            "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n",
            "SETUP": "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
            "PLAY": "Session: 1\r\n",
        }.get(method, "")
        client.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}\r\n{body}".encode())
        if method == "PLAY":
            for packet in packets:
                client.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
            return
