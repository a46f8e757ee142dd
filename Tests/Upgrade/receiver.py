"""A remote-write receiver on loopback that checks what it is sent: no counter goes down, no time goes back.

It reads remote write 1.0 and 2.0 by itself: snappy's block format, then the protobuf message.
https://prometheus.io/docs/specs/prw/remote_write_spec/
https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
https://github.com/google/snappy/blob/main/format_description.txt
"""

import http.server
import re
import struct
import threading

STALE = 0x7FF0000000000002
# Counters of what LiveKit did, histograms included: restarts must not lower them.
COUNTER = re.compile(r"lk_\w+_(total|count|sum|bucket)(\{|$)")


def decompressed(data):
    position, size, shift = 0, 0, 0
    while True:
        byte = data[position]
        position += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    output = bytearray()
    while position < len(data):
        tag = data[position]
        position += 1
        if tag & 3 == 0:
            length = tag >> 2
            if length >= 60:
                width = length - 59
                length = int.from_bytes(data[position : position + width], "little")
                position += width
            length += 1
            output += data[position : position + length]
            position += length
            continue
        if tag & 3 == 1:
            length, offset, width = (tag >> 2 & 7) + 4, (tag >> 5) << 8, 1
        else:
            length, offset, width = (tag >> 2) + 1, 0, 2 if tag & 3 == 2 else 4
        offset |= int.from_bytes(data[position : position + width], "little")
        position += width
        for _ in range(length):
            output.append(output[-offset])
    if len(output) != size:
        raise ValueError(f"{len(output)} bytes instead of {size}")
    return bytes(output)


def varint(data, position):
    """The number at a position, and the position after it."""
    value, shift = 0, 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def varints(data):
    """The numbers of a packed field."""
    position = 0
    while position < len(data):
        value, position = varint(data, position)
        yield value


def fields(data):
    """Number and value of each field of a protobuf message: bytes where it has a length, else an integer."""
    position = 0
    while position < len(data):
        tag, position = varint(data, position)
        if tag & 7 == 2:
            length, position = varint(data, position)
            yield tag >> 3, data[position : position + length]
            position += length
        elif tag & 7 == 1:
            yield tag >> 3, int.from_bytes(data[position : position + 8], "little")
            position += 8
        else:
            value, position = varint(data, position)
            yield tag >> 3, value


def samples(body, is_2):
    """(series, milliseconds, bits of the value) of a request; a series is `name{a="1",b="2"}` in the order it is sent.

    A request of remote write 1.0 has a list of series. One of 2.0 has its texts in field 4, and the series in field 5.
    """
    message = list(fields(decompressed(body)))
    symbols = [part.decode() for number, part in message if number == 4]
    for number, series in message:
        if number != (5 if is_2 else 1):
            continue
        labels, values = [], []
        for number, part in fields(series):
            if number == 2:
                inside = dict(fields(part))
                values.append((inside.get(2, 0), inside.get(1, 0)))
            elif number == 1 and is_2:
                texts = [symbols[index] for index in varints(part)]
                labels += zip(texts[::2], texts[1::2])
            elif number == 1:
                inside = dict(fields(part))
                labels.append((inside[1].decode(), inside[2].decode()))
        name = dict(labels)["__name__"]
        others = [f'{label}="{value}"' for label, value in labels if label != "__name__"]
        text = name + ("{" + ",".join(others) + "}" if others else "")
        for milliseconds, bits in values:
            yield text, milliseconds, bits


class Receiver:
    """Answers 204, and keeps the newest sample of each series.

    `never` matches the series that it must not be sent, not even a stale marker of them.
    """

    def __init__(self, never=None):
        self.lock = threading.Lock()
        self._never = never and re.compile(never)
        # The newest value of each series that was not ended by a stale marker.
        self.alive = {}
        self.faults = []
        self.read_ms = 0
        # While it is set, nothing is taken, and each request is answered 503.
        self.is_away = False
        self._newest = {}
        self._highest = {}
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                is_2 = "io.prometheus.write.v2.Request" in self.headers["Content-Type"]
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.is_away:
                    self.send_response(503)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                count = receiver.take(body, is_2)
                self.send_response(204)
                if is_2:
                    self.send_header("X-Prometheus-Remote-Write-Samples-Written", str(count))
                    self.send_header("X-Prometheus-Remote-Write-Histograms-Written", "0")
                    self.send_header("X-Prometheus-Remote-Write-Exemplars-Written", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/api/v1/write"

    def take(self, body, is_2):
        """Takes the samples of a request, and returns their number."""
        taken = list(samples(body, is_2))
        with self.lock:
            for series, milliseconds, bits in taken:
                self.read_ms = max(self.read_ms, milliseconds)
                if self._never and self._never.match(series):
                    self.faults.append(f"{series} was pushed, which this receiver does not get")
                # The same again is allowed: the answer to the first may have been lost.
                if (milliseconds, bits) == self._newest.get(series):
                    continue
                if milliseconds <= self._newest.get(series, (0, 0))[0]:
                    self.faults.append(f"{series}: a sample at {milliseconds}, though a later one was there")
                self._newest[series] = (milliseconds, bits)
                if bits == STALE:
                    self.alive.pop(series, None)
                    continue
                value = struct.unpack("<d", struct.pack("<Q", bits))[0]
                self.alive[series] = value
                if COUNTER.match(series):
                    if value < self._highest.get(series, 0):
                        self.faults.append(f"{series} was pushed as {self._highest[series]} and then as {value}")
                    self._highest[series] = value
        return len(taken)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
