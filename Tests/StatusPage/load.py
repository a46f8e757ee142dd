#!/usr/bin/env python3
"""Measures what open status pages cost the webhooks: `load.py PROGRAM [...]`. See `load` beside it."""

import argparse
import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import hmac
import http.server
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import typing

KEY, SECRET = "APIload", "secret-for-tests-only-0123456789abcdef"
PARTICIPANTS, ROOMS, ORGANIZATIONS = 5_000, 1_000, 100
CONNECTIONS = 16


# What LiveKit sends


def signed(fields: dict[str, typing.Any]) -> bytes:
    """The request of a webhook, dated now."""
    now = int(time.time())
    body = json.dumps({"id": f"EV_{os.urandom(9).hex()}", "createdAt": str(now), **fields}).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    claims = {"iss": KEY, "nbf": now - 5, "exp": now + 300, "sha256": digest}
    text = ".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = _base64url(hmac.digest(SECRET.encode(), text.encode(), "sha256"))
    head = f"POST /webhook HTTP/1.1\r\nHost: localhost\r\nAuthorization: {text}.{signature}\r\n"
    return f"{head}Content-Type: application/webhook+json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def room(number: int) -> dict[str, str]:
    return {"sid": f"RM_load{number:05}", "name": f"org_{number % ORGANIZATIONS:03}~room-{number}"}


def person(number: int, visit: int = 0) -> dict[str, str]:
    joined = str(int(time.time() * 1000) - 1000)
    return {"sid": f"PA_load{number:05}_{visit}", "identity": f"{1_000_000 + number}", "joinedAtMs": joined}


def track(number: int, source: str) -> dict[str, str]:
    kind = "VIDEO" if source == "CAMERA" else "AUDIO"
    return {"sid": f"TR_load{number:05}_{source}", "type": kind, "source": source}


def furnish(lane: int) -> typing.Iterator[dict[str, typing.Any]]:
    """Everybody joins, and every other one publishes two tracks. A room belongs to one connection."""
    for number in range(lane, ROOMS, CONNECTIONS):
        yield {"event": "room_started", "room": room(number)}
        for one in range(number, PARTICIPANTS, ROOMS):
            yield {"event": "participant_joined", "room": room(number), "participant": person(one)}
            for source in ("MICROPHONE", "CAMERA") if one // ROOMS % 2 == 0 else ():
                shared = {"room": room(number), "participant": person(one)}
                yield {"event": "track_published", "track": track(one, source), **shared}


def live(lane: int) -> typing.Iterator[dict[str, typing.Any]]:
    """Somebody without tracks leaves and joins again."""
    chance = random.Random(lane)
    for visit in itertools.count(1):
        number = chance.randrange(lane, ROOMS, CONNECTIONS)
        one = number + ROOMS
        last = person(one, visits.get(one, 0))
        visits[one] = visit
        yield {"event": "participant_left", "room": room(number), "participant": last}
        yield {"event": "participant_joined", "room": room(number), "participant": person(one, visit)}


visits: dict[int, int] = {}


# Asking


@dataclasses.dataclass
class Answers:
    """Times of answers with 200, in seconds, and how many were others."""

    times: list[float] = dataclasses.field(default_factory=list)
    failures: int = 0


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, request: bytes, answers: Answers) -> None:
        start = time.monotonic()
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0]) if "content-length:" in head else 0
        await self._reader.readexactly(length)
        if head.split(" ")[1] == "200":
            answers.times.append(time.monotonic() - start)
        else:
            answers.failures += 1


async def connect(port: int) -> Connection:
    return Connection(*await asyncio.open_connection("127.0.0.1", port))


async def look(port: int, number: int, count: int, end: float, answers: Answers) -> None:
    """One page: it asks once a second."""
    page = await connect(port)
    for turn in itertools.count():
        at = end - 10 + number / count + turn
        if at >= end:
            return
        await asyncio.sleep(max(0, at - time.monotonic()))
        await page.ask(b"GET /debug/status HTTP/1.1\r\nHost: localhost\r\n\r\n", answers)


def look_all(port: int, count: int, end: float, results: typing.Any) -> None:
    """All pages, in a process of their own: they do not disturb those who measure webhooks."""
    answers = Answers()

    async def all_pages() -> None:
        await asyncio.gather(*(look(port, number, count, end, answers) for number in range(count)))

    asyncio.run(all_pages())
    results.put(answers)


class LiveKit:
    """Connections that send webhooks. Those of a room come one after the other."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._events = [live(lane) for lane in range(CONNECTIONS)]

    async def furnish(self) -> Answers:
        answers = Answers()

        async def one(lane: int) -> None:
            connection = await connect(self._port)
            for fields in furnish(lane):
                await connection.ask(signed(fields), answers)

        await asyncio.gather(*(one(lane) for lane in range(CONNECTIONS)))
        return answers

    async def send(self, rate: float, end: float) -> Answers:
        answers = Answers()
        pause = CONNECTIONS / rate

        async def one(lane: int) -> None:
            connection = await connect(self._port)
            at = time.monotonic() + lane / rate
            while at < end:
                await asyncio.sleep(max(0, at - time.monotonic()))
                await connection.ask(signed(next(self._events[lane])), answers)
                at += pause

        await asyncio.gather(*(one(lane) for lane in range(CONNECTIONS)))
        return answers


# lkpush


class Sink(http.server.BaseHTTPRequestHandler):
    """A receiver that takes everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: typing.Any) -> None:
        pass


@contextlib.contextmanager
def exporter(program: str, folder: str) -> typing.Iterator[tuple[int, int, int]]:
    """A running program: its process, and the ports of its listeners."""
    sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    log = pathlib.Path(folder, "log")
    environment = {
        "PATH": "/usr/bin:/bin", "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET, "LISTEN": "127.0.0.1:0",
        "METRICS_LISTEN": "127.0.0.1:0", "STATE_DIR": f"{folder}/state", "ENVIRONMENT": "load", "REGION": "here",
        "ORG_SOURCE": "room-name", "ORG_ROOM_PATTERN": "^(?<org>[^~]+)~", "LOG_FORMAT": "json",
        "GRAFANA_PROM_REMOTE_WRITE_URL": f"http://127.0.0.1:{sink.server_port}/write", "no_proxy": "127.0.0.1",
    }
    with log.open("wb") as output, subprocess.Popen([program], env=environment, stderr=output) as process:
        try:
            ports: dict[str, int] = {}
            while len(ports) < 2 and process.poll() is None:
                time.sleep(0.05)
                for line in log.read_text(encoding="utf-8").splitlines():
                    said = json.loads(line) if line.endswith("}") else {}
                    if said.get("msg") == "listening":
                        ports[said["listener"]] = int(said["address"].rsplit(":", 1)[1])
            if len(ports) < 2:
                raise RuntimeError(log.read_text(encoding="utf-8"))
            yield process.pid, ports["public"], ports["metrics"]
        finally:
            process.terminate()
            process.wait()
            sink.shutdown()


def cpu_s(process: int) -> float:
    """The CPU time that a process has used."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# Measuring


@dataclasses.dataclass
class Phase:
    pages: int
    webhooks: Answers
    looks: Answers
    cpu_s: float

    def figures(self) -> dict[str, float]:
        times = sorted(self.webhooks.times)
        return {
            "median ms": statistics.median(times) * 1e3,
            "p99 ms": times[int(len(times) * 0.99)] * 1e3,
            "slowest ms": times[-1] * 1e3,
            "CPU ms/s": self.cpu_s * 100,
        }


def measure(livekit: LiveKit, process: int, port: int, rate: float, pages: int) -> Phase:
    end = time.monotonic() + 10
    results: typing.Any = multiprocessing.Queue()
    looking = multiprocessing.Process(target=look_all, args=(port, pages, end, results))
    before = cpu_s(process)
    if pages:
        looking.start()
    webhooks = asyncio.run(livekit.send(rate, end))
    looks = results.get() if pages else Answers()
    if pages:
        looking.join()
    return Phase(pages, webhooks, looks, cpu_s(process) - before)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--rate", type=float, default=400)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        exporter(options.program, folder) as (process, public, private),
    ):
        livekit = LiveKit(public)
        filled = asyncio.run(livekit.furnish())
        print(f"{PARTICIPANTS} participants in {ROOMS} rooms of {ORGANIZATIONS} organizations")
        failures = filled.failures
        pairs = []
        for number in range(options.rounds):
            order = [0, options.pages] if number % 2 == 0 else [options.pages, 0]
            both = [measure(livekit, process, private, options.rate, pages) for pages in order]
            for phase in both:
                failures += phase.webhooks.failures + phase.looks.failures
                looked = f"{len(phase.looks.times)} pages answered" if phase.pages else ""
                figures = "  ".join(f"{name} {value:7.2f}" for name, value in phase.figures().items())
                print(f"{phase.pages:3} pages  {len(phase.webhooks.times)} webhooks  {figures}  {looked}", flush=True)
            pairs.append(sorted(both, key=lambda phase: phase.pages))
    for name in pairs[0][0].figures():
        ratios = [loaded.figures()[name] / idle.figures()[name] for idle, loaded in pairs]
        print(f"{name}: with pages {statistics.median(ratios):.2f} times that without")
    added = statistics.median(loaded.cpu_s - idle.cpu_s for idle, loaded in pairs) / 10
    print(f"CPU of {options.pages} pages: {added:.1%} of one core")
    print(f"not answered 200: {failures}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
