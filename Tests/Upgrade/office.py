"""A small office that sends signed webhooks to a running lkpush and knows what must come of them.

`office.py make PROGRAM FOLDER` makes the folders that Tests/EndToEndTests/Data/versions keeps: PROGRAM runs under load and
is killed. `office.py prove OLD NEW FOLDER` goes from OLD to NEW, back, and to NEW again. Only Python's own library.
"""

import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time

KEY, SECRET = "APIqubitalTest", "secret-for-tests-only-0123456789abcdef"
PATIENCE = 60


# Letters


def segment(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(body):
    claims = {
        "iss": KEY,
        "nbf": int(time.time()) - 5,
        "exp": int(time.time()) + 3600,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }
    text = segment(b'{"alg":"HS256","typ":"JWT"}') + "." + segment(json.dumps(claims).encode())
    return text + "." + segment(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest())


def room_letters(number, begin):
    """What happens in one room: each is (event, body, what it adds to the tables)."""
    sid, name = f"RM_{number:06}", f"room-{number}"
    room = {"sid": sid, "name": name, "creationTime": str(begin), "creationTimeMs": str(begin * 1000)}
    identities = [str(number * 10 + place) for place in (1, 2, 3)]

    def letter(event, at, adds=None, **fields):
        body = {"event": event, "id": f"EV_{sid}_{at}_{event}", "createdAt": str(begin + at), "room": room, **fields}
        return event, json.dumps(body).encode(), adds

    def person(place, joined):
        return {
            "sid": f"PA_{number:06}_{place}",
            "identity": identities[place - 1],
            "joinedAt": str(begin + joined),
            "joinedAtMs": str((begin + joined) * 1000),
        }

    def track(place, life):
        version = {"unixMicro": str((begin + life) * 1_000_000)}
        return {"sid": f"TR_{number:06}_{place}", "type": "VIDEO", "source": "CAMERA", "version": version}

    def egress(status, ended=None):
        info = {
            "egressId": f"EG_{number:06}",
            "roomId": sid,
            "roomName": name,
            "status": status,
            "startedAt": str((begin + 10) * 10**9),
            "roomComposite": {"roomName": name},
        }
        if ended:
            info["endedAt"] = str((begin + ended) * 10**9)
            info["fileResults"] = [{"filename": "a.mp4", "duration": str(50 * 10**9), "size": "1000"}]
        return info

    one, two, three = person(1, 5), person(2, 6), person(3, 105)
    letters = [
        letter("room_started", 0),
        letter("participant_joined", 5, participant=one),
        letter("participant_joined", 6, participant=two),
        letter("track_published", 7, participant=one, track=track(1, 7)),
        letter("egress_started", 10, egressInfo=egress("EGRESS_ACTIVE")),
        # Off and on again, under the same SID.
        letter("track_unpublished", 30, participant=one, track=track(1, 7)),
        letter("track_published", 50, participant=one, track=track(1, 50)),
        letter("egress_ended", 62, ("recording", f"EG_{number:06}"), egressInfo=egress("EGRESS_COMPLETE", 60)),
        letter("participant_left", 65, ("session", identities[0]), participant=one),
        letter("participant_left", 66, ("session", identities[1]), participant=two),
        letter("room_finished", 100),
        # The same SID comes to life again.
        letter("room_started", 103),
        letter("participant_joined", 105, participant=three),
        letter("track_published", 106, participant=three, track=track(3, 106)),
    ]
    # Every second one is left open.
    if number % 2:
        letters += [
            letter("participant_left", 165, ("other", identities[2]), participant=three),
            letter("room_finished", 170),
        ]
    return letters


class Office:
    """Sends letters of many rooms at once, those of one room in order, and notes what was answered."""

    def __init__(self):
        self.answered, self.unanswered = [], []
        self.lock = threading.Lock()
        self.is_over = False

    def send(self, port, rooms):
        self.is_over = False
        # Begun half an hour ago: nothing of it is implausible, and nothing lies ahead.
        begin = int(time.time()) - 1800
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: self.send_room(port, room_letters(number, begin)), rooms))

    def send_room(self, port, letters):
        for event, body, adds in letters:
            if self.is_over:
                return
            status = None
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                headers = {"Authorization": token(body), "Content-Type": "application/webhook+json"}
                connection.request("POST", "/webhook", body, headers)
                status = connection.getresponse().status
                connection.close()
            except (OSError, http.client.HTTPException):
                self.is_over = True
            with self.lock:
                (self.answered if status == 200 else self.unanswered).append((event, adds))
            if status != 200:
                return

    def truth(self):
        """For each row the least and the most that may be there: what was answered, and what may have been taken."""
        found = {"events": {}, "sessions": {}, "recordings": {}}
        for letters, sure in ((self.answered, 1), (self.unanswered, 0)):
            for event, adds in letters:
                places = [(found["events"], event)]
                if adds and adds[0] != "other":
                    places.append((found[adds[0] + "s"], adds[1]))
                for table, key in places:
                    least, most = table.get(key, (0, 0))
                    table[key] = (least + sure, most + 1)
        return found


# The program


class Program:
    """A running lkpush with a state folder."""

    def __init__(self, path, state, log, **settings):
        environment = {
            "PATH": "/usr/bin:/bin",
            "LIVEKIT_API_KEY": KEY,
            "LIVEKIT_API_SECRET": SECRET,
            "LISTEN": "127.0.0.1:0",
            "METRICS_LISTEN": "127.0.0.1:0",
            "STATE_DIR": state,
            "LOG_FORMAT": "json",
            "ACTIVITY_RETENTION": "0",
            **settings,
        }
        self.log = log
        with open(log, "ab") as output:
            begin = output.tell()
            self.process = subprocess.Popen([path], env=environment, stderr=output, stdout=output)
        self.ports = self.wait(lambda: self.find_ports(begin), "listeners")
        self.wait(lambda: self.get("/readyz")[0] == 200, "readiness")

    def find_ports(self, begin):
        with open(self.log, "rb") as log:
            log.seek(begin)
            lines = [json.loads(line) for line in log.read().splitlines() if line.startswith(b"{") and line.endswith(b"}")]
        found = {line["listener"]: int(line["address"].split(":")[-1]) for line in lines if line.get("msg") == "listening"}
        return found if len(found) == 2 else None

    def wait(self, condition, what):
        end = time.time() + PATIENCE
        while time.time() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"it ended by itself with {self.process.returncode}; see {self.log}")
            found = condition()
            if found:
                return found
            threading.Event().wait(0.05)
        raise SystemExit(f"waited in vain for {what}; see {self.log}")

    def get(self, path):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.ports["metrics"], timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""

    def samples(self):
        pattern = re.compile(r"^([a-z_]+(?:\{.*\})?) (\S+)$", re.MULTILINE)
        return {name: float(value) for name, value in pattern.findall(self.get("/metrics")[1])}

    def counters(self):
        """What restarts must not lower: counters of what LiveKit did, histograms included."""
        pattern = re.compile(r"^lk_\w+_(total|count|sum|bucket)\b")
        return {name: value for name, value in self.samples().items() if pattern.match(name)}

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        if status != 0:
            raise SystemExit(f"it stopped with {status}; see {self.log}")


def tables(database):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
        query = "SELECT user_id, SUM(session_count), SUM(total_duration_seconds) FROM participant_activity_metrics GROUP BY 1"
        sessions = {str(user): (count, seconds) for user, count, seconds in connection.execute(query)}
        recordings = [row[0] for row in connection.execute("SELECT egress_id FROM recordings")]
    return sessions, recordings


def faults(truth, program, database, scraped):
    """What is not as it must be, after everything that waits was written."""
    lines = []
    counters = program.counters()
    for name, value in scraped.items():
        if counters.get(name, -1) < value:
            lines.append(f"{name} was {value} and is {counters.get(name)}")
    for event, (least, most) in truth["events"].items():
        found = counters.get(f'lk_webhook_events_total{{event="{event}"}}', 0)
        if not least <= found <= most:
            lines.append(f"{event}: {found} counted, {least} to {most} sent")
    sessions, recordings = tables(database)
    for user, (least, most) in truth["sessions"].items():
        count, seconds = sessions.get(user, (0, 0))
        if not least <= count <= most or abs(seconds - 60 * count) > 1e-6:
            lines.append(f"user {user}: {count} sessions of {seconds} s, {least} to {most} of 60 s expected")
    for name, (least, most) in truth["recordings"].items():
        if not least <= recordings.count(name) <= most:
            lines.append(f"recording {name}: {recordings.count(name)} times, {least} to {most} expected")
    return lines


def settle(program):
    """Waits until no row waits for the database any more."""

    def is_settled():
        samples = program.samples()
        return samples.get("lkpush_database_up") == 1 and samples.get("lkpush_database_rows_waiting") == 0

    program.wait(is_settled, "rows on their way to the database")
    # Rows gather for a moment before they count as waiting.
    threading.Event().wait(2)
    program.wait(is_settled, "rows on their way to the database")


# What it does


def load(program, office, rooms, seconds, is_killed=True):
    """Sends, and kills the program while it does, or waits for all answers; gives the last scrape."""
    sender = threading.Thread(target=office.send, args=(program.ports["public"], rooms))
    sender.start()
    scraped = {}
    if is_killed:
        threading.Event().wait(seconds)
        scraped = program.counters()
        if not sender.is_alive():
            raise SystemExit("everything was sent before the kill: give it more rooms")
        program.kill()
    sender.join()
    return scraped or program.counters()


def make(path, folder):
    """Three states of a program that was killed under load."""
    cases = {"snapshot-and-tail": (34, False), "tail-only": (4, False), "rows-waiting": (34, True)}
    for name, (seconds, is_locked) in cases.items():
        state = os.path.join(folder, name, "state")
        os.makedirs(state)
        log = os.path.join(folder, f"{name}.log")
        # The tables are there before, so that another process can keep them from being written.
        subprocess.run(
            [path, "migrate"], check=True, stdout=subprocess.DEVNULL,
            env={"STATE_DIR": state, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET, "PATH": "/usr/bin:/bin"})
        lock = sqlite3.connect(os.path.join(state, "office.db"), isolation_level=None)
        if is_locked:
            lock.execute("BEGIN IMMEDIATE")
        program, office = Program(path, state, log), Office()
        # A few rooms at a time, so that the state stays small; the last ones are under way when it is killed.
        first = 1
        end = time.time() + seconds
        while time.time() < end - 2:
            load(program, office, range(first, first + 4), 0, is_killed=False)
            first += 4
            threading.Event().wait(1 if seconds > 10 else 0.2)
        scraped = load(program, office, range(first, first + 400), 0.5)
        lock.close()
        os.remove(os.path.join(state, "lock"))
        truth = {"version": version(path), "killed_at": int(time.time()), "scrape": scraped, **office.truth()}
        with open(os.path.join(folder, name, "truth.json"), "w") as file:
            json.dump(truth, file, indent=1, sort_keys=True)
        with tarfile.open(os.path.join(folder, f"{name}.tar.gz"), "w:gz") as archive:
            for item in ("state", "truth.json"):
                archive.add(os.path.join(folder, name, item), item)
        shutil.rmtree(os.path.join(folder, name))
        print(f"{name}: {len(office.answered)} answered, {len(office.unanswered)} not, {sorted(os.listdir(folder))}")


def version(path):
    return subprocess.run([path, "version"], check=True, capture_output=True, text=True).stdout.strip()


def prove(old, new, folder):
    """OLD killed -> NEW killed -> NEW stopped -> OLD killed -> NEW."""
    state, log = os.path.join(folder, "state"), os.path.join(folder, "lkpush.log")
    database = os.path.join(state, "office.db")
    office, scraped, first = Office(), {}, 1
    steps = [("old", old, "kill"), ("new", new, "kill"), ("new", new, "stop"), ("old", old, "kill"), ("new", new, "stop")]
    for name, path, end in steps:
        program = Program(path, state, log)
        settle(program)
        problems = faults(office.truth(), program, database, scraped)
        if problems:
            raise SystemExit(f"{name} after {first - 1} rooms:\n" + "\n".join(problems[:20]))
        # One round is answered whole, the next one is under way when it is killed.
        scraped = load(program, office, range(first, first + 30), 0, is_killed=False)
        if end == "kill":
            scraped = load(program, office, range(first + 30, first + 430), 1)
        else:
            settle(program)
            problems = faults(office.truth(), program, database, scraped)
            if problems:
                raise SystemExit(f"{name} before its stop:\n" + "\n".join(problems[:20]))
            scraped = program.counters()
            program.stop()
        first += 430
        print(f"{name} {version(path)}: {len(office.answered)} events answered so far, then {end}: nothing lost, nothing twice")
    with open(log) as lines:
        warnings = {json.loads(line)["msg"] for line in lines if '"level":"warn' in line or '"level":"error' in line}
    print("warnings and errors in the log:", sorted(warnings) or "none")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3])
    else:
        prove(sys.argv[2], sys.argv[3], sys.argv[4])
