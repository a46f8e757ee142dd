"""A small office that sends signed webhooks to a running lkpush and knows what must come of them.

`office.py make PROGRAM FOLDER` makes the archives that Tests/EndToEndTests/Data/versions keeps: PROGRAM runs under load and
is killed. `office.py prove OLD NEW FOLDER` goes from OLD to NEW, back, and to NEW again. Only Python's own library.
"""

import base64
import collections
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
import tempfile
import threading
import time

from receiver import COUNTER, Receiver

KEY, SECRET = "APIqubitalTest", "secret-for-tests-only-0123456789abcdef"
PATIENCE = 60
# What decides which series there are: a program that goes on with a state has to be started with the same.
LABELS = {"ENVIRONMENT": "kept", "REGION": "local", "INSTANCE": "office-1", "HISTOGRAM_LONG_BUCKETS": "true"}
# The database takes no activity of users from here on.
REFUSED_FROM = 1_000_000


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


class Letter:
    """A webhook, and what it does: a row that it adds to the tables, entities that it opens or closes."""

    def __init__(self, event, body, row=None, opens=None, comes=None, leaves=None):
        self.event, self.body, self.row = event, body, row
        # By metric, 1 or -1.
        self.opens = opens or {}
        # The SID of who joins or leaves.
        self.comes, self.leaves = comes, leaves


class Room:
    """What happens in one room, and what may still come of it later."""

    def __init__(self, number, begin, is_refused=False):
        self.number, self.begin = number, begin
        self.sid, self.name = f"RM_{number:06}", f"room-{number}"
        first = str(REFUSED_FROM + number if is_refused else number * 10 + 1)
        self.identities = [first, str(number * 10 + 2), str(number * 10 + 3)]
        # Every second one is left open.
        self.is_left_open = number % 2 == 0
        # Repeats of what is over have other ids than the first time.
        self.prefix = "EV"

    def letter(self, event, at, fields=None, **effects):
        body = {
            "event": event,
            "id": f"{self.prefix}_{self.sid}_{at}_{event}",
            "createdAt": str(self.begin + at),
            "room": {
                "sid": self.sid,
                "name": self.name,
                "creationTime": str(self.begin),
                "creationTimeMs": str(self.begin * 1000),
            },
            **(fields or {}),
        }
        return Letter(event, json.dumps(body).encode(), **effects)

    def person(self, place, joined):
        return {
            "sid": f"PA_{self.number:06}_{place}",
            "identity": self.identities[place - 1],
            "joinedAt": str(self.begin + joined),
            "joinedAtMs": str((self.begin + joined) * 1000),
        }

    def started(self, at):
        return self.letter("room_started", at, opens={"lk_room_active": 1})

    def finished(self, at):
        return self.letter("room_finished", at, opens={"lk_room_active": -1})

    def joined(self, place, at):
        person = self.person(place, at)
        return self.letter(
            "participant_joined", at, {"participant": person}, opens={"lk_participants_active": 1}, comes=person["sid"])

    def left(self, place, joined, at, kind="session"):
        person = self.person(place, joined)
        if int(person["identity"]) >= REFUSED_FROM:
            kind = "refused"
        return self.letter(
            "participant_left", at, {"participant": person}, opens={"lk_participants_active": -1}, leaves=person["sid"],
            row=(kind, person["identity"]))

    def track(self, event, place, joined, life, at):
        version = {"unixMicro": str((self.begin + life) * 1_000_000)}
        track = {"sid": f"TR_{self.number:06}_{place}", "type": "VIDEO", "source": "CAMERA", "version": version}
        return self.letter(event, at, {"participant": self.person(place, joined), "track": track})

    def egress(self, event, at, ended=None):
        info = {
            "egressId": f"EG_{self.number:06}",
            "roomId": self.sid,
            "roomName": self.name,
            "status": "EGRESS_COMPLETE" if ended else "EGRESS_ACTIVE",
            "startedAt": str((self.begin + 10) * 10**9),
            "roomComposite": {"roomName": self.name},
        }
        if ended:
            info["endedAt"] = str((self.begin + ended) * 10**9)
            info["fileResults"] = [{"filename": "a.mp4", "duration": str(50 * 10**9), "size": "1000"}]
        return self.letter(
            event, at, {"egressInfo": info}, opens={"lk_egress_active": -1 if ended else 1},
            row=("recording", info["egressId"]) if ended else None)

    def ingress(self, session, start, ended=None):
        """Of one ingress that is used again: each session has a resource of its own."""
        state = {
            "status": "ENDPOINT_INACTIVE" if ended else "ENDPOINT_PUBLISHING",
            "roomId": self.sid,
            "resourceId": f"RES_{self.number:06}_{session}",
            "startedAt": str((self.begin + start) * 10**9),
        }
        if ended:
            state["endedAt"] = str((self.begin + ended) * 10**9)
        info = {
            "ingressId": f"IN_{self.number:06}", "inputType": "WHIP_INPUT", "roomName": self.name, "state": state}
        return self.letter(
            "ingress_ended" if ended else "ingress_started", ended or start, {"ingressInfo": info},
            opens={"lk_ingress_active": -1 if ended else 1})

    def letters(self):
        letters = [
            self.started(0),
            self.joined(1, 5),
            self.joined(2, 6),
            self.track("track_published", 1, 5, 7, 7),
            self.egress("egress_started", 10),
            self.ingress(1, 12),
            # Off and on again, under the same SID.
            self.track("track_unpublished", 1, 5, 7, 30),
            self.ingress(1, 12, 40),
            self.track("track_published", 1, 5, 50, 50),
            self.egress("egress_ended", 62, 60),
            self.left(1, 5, 65),
            self.left(2, 6, 66),
            self.finished(100),
            # The same SID comes to life again.
            self.started(103),
            self.joined(3, 105),
            self.track("track_published", 3, 105, 106, 106),
            self.ingress(2, 110),
        ]
        if not self.is_left_open:
            letters += [self.ingress(2, 110, 160), self.left(3, 105, 165, "other"), self.finished(170)]
        return letters

    def echoes(self):
        """Late news, under new ids, of what has ended: they change nothing but the count of events."""
        self.prefix = "EV_late"
        letters = [
            self.joined(1, 5),
            self.joined(2, 6),
            self.left(1, 5, 65),
            self.track("track_published", 1, 5, 7, 7),
            self.egress("egress_started", 10),
            self.egress("egress_ended", 62, 60),
            self.ingress(1, 12),
            self.ingress(1, 12, 40),
        ]
        if not self.is_left_open:
            letters += [self.started(0), self.joined(3, 105), self.ingress(2, 110), self.ingress(2, 110, 160)]
        return letters

    def endings(self):
        """The ends of what was left open, and by how much they change the sums of metrics."""
        if not self.is_left_open:
            return [], {}
        changes = {
            "lk_ingress_active": -1, "lk_ingress_ended_total": 1, "lk_ingress_duration_seconds_count": 1,
            "lk_participants_active": -1, "lk_participant_lifetime_seconds_count": 1, "lk_tracks_active": -1,
            "lk_connections_active": -1, "lk_connections_ended_total": 1,
        }
        return [self.ingress(2, 110, 200), self.left(3, 105, 201, "other")], changes


class Office:
    """Sends letters of many rooms at once, those of one room in order, and notes what was answered."""

    def __init__(self):
        self.answered, self.unanswered, self.rooms = [], [], []
        self.lock = threading.Lock()
        self.is_over = False

    def send(self, port, numbers, refuses=False):
        """With `refuses`, a person of every tenth room is one of whom the database takes no row."""
        self.is_over = False
        # Begun half an hour ago: nothing of it is implausible, and nothing lies ahead.
        begin = int(time.time()) - 1800
        rooms = [Room(number, begin, refuses and place % 10 == 0) for place, number in enumerate(numbers)]
        self.rooms += rooms
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda room: self.send_room(port, room.letters()), rooms))

    def send_room(self, port, letters):
        for letter in letters:
            if self.is_over:
                return
            status = None
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                headers = {"Authorization": token(letter.body), "Content-Type": "application/webhook+json"}
                connection.request("POST", "/webhook", letter.body, headers)
                status = connection.getresponse().status
                connection.close()
            except (OSError, http.client.HTTPException):
                self.is_over = True
            with self.lock:
                (self.answered if status == 200 else self.unanswered).append(letter)
            if status != 200:
                return

    def truth(self):
        """For each row the least and the most that may be there: what was answered, and what may have been taken."""
        found = {"events": {}, "sessions": {}, "recordings": {}, "refused": {}, "open": {}, "presence": {}}

        def add(table, key, least, most):
            before = found[table].get(key, (0, 0))
            found[table][key] = (before[0] + least, before[1] + most)

        for letters, sure in ((self.answered, 1), (self.unanswered, 0)):
            for letter in letters:
                add("events", letter.event, sure, 1)
                if letter.row and letter.row[0] == "refused":
                    add("refused", letter.row[1], sure, 1)
                elif letter.row and letter.row[0] != "other":
                    add(letter.row[0] + "s", letter.row[1], sure, 1)
                for name, change in letter.opens.items():
                    add("open", name, *((change, change) if sure else sorted((0, change))))
                if letter.comes:
                    add("presence", letter.comes, sure, 1)
                if letter.leaves:
                    add("presence", letter.leaves, -1, -sure)
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
            "PUSH_INTERVAL": "500ms",
            **LABELS,
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
        return {name: value for name, value in self.samples().items() if COUNTER.match(name)}

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        if status != 0:
            raise SystemExit(f"it stopped with {status}; see {self.log}")


# What is there


def migrate(path, state):
    """Makes the tables, so that another process can have them before the program does, and one that refuses rows."""
    os.makedirs(state)
    environment = {"STATE_DIR": state, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET, "PATH": "/usr/bin:/bin"}
    subprocess.run([path, "migrate"], check=True, stdout=subprocess.DEVNULL, env=environment)
    connection = sqlite3.connect(os.path.join(state, "office.db"))
    connection.execute(
        f"""
        CREATE TRIGGER refuse BEFORE INSERT ON participant_activity_metrics WHEN NEW.user_id >= {REFUSED_FROM}
        BEGIN SELECT RAISE(ABORT, 'not this user'); END
        """)
    connection.commit()
    connection.close()


def rows(database, query):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def left_rows(state, file, query):
    """What a program that has ended left in a database. Reads a copy: looking at one changes it."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in (file, file + "-wal"):
            if os.path.exists(os.path.join(state, name)):
                shutil.copy(os.path.join(state, name), scratch)
        connection = sqlite3.connect(os.path.join(scratch, file))
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


def set_aside(state):
    """The users of the rows that were set aside."""
    return [str(json.loads(row)["user_id"]) for (row,) in left_rows(state, "journal.db", "SELECT row FROM set_aside")]


def contents(state):
    """How much of everything there is."""
    tables = ("events", "inputs", "outbox", "set_aside", "ids", "shipped")
    found = {table: left_rows(state, "journal.db", f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables}
    positions = "SELECT COUNT(*) FROM lkpush_outbox_positions WHERE input IS NOT NULL"
    found["positions"] = left_rows(state, "office.db", positions)[0][0]
    found["snapshots"] = len([name for name in os.listdir(state) if name.startswith("snapshot.")])
    return found


def outside(found, bounds, what):
    """One line for each count that is not within its bounds."""
    return [
        f"{what} {key}: {found.get(key, 0)}, {least} to {most} expected"
        for key, (least, most) in bounds.items()
        if not least <= found.get(key, 0) <= most
    ]


def entity_faults(truth, program, database):
    """What is open now, in the metrics and in the table of who is present."""
    sums = {}
    for name, value in program.samples().items():
        metric = name.split("{")[0]
        sums[metric] = sums.get(metric, 0) + value
    present = collections.Counter(row[0] for row in rows(database, "SELECT participant_sid FROM room_presence"))
    return outside(sums, truth["open"], "open") + outside(present, truth["presence"], "present")


def faults(truth, program, database, scraped):
    """What is not as it must be, after everything that waits was written."""
    counters = program.counters()
    lines = [
        f"{name} was {value} and is {counters.get(name)}"
        for name, value in scraped.items()
        if counters.get(name, -1) < value
    ]
    events = {event: counters.get(f'lk_webhook_events_total{{event="{event}"}}', 0) for event in truth["events"]}
    lines += outside(events, truth["events"], "counted")
    activity = rows(
        database,
        "SELECT user_id, SUM(session_count), SUM(total_duration_seconds) FROM participant_activity_metrics GROUP BY 1")
    lines += outside({str(user): count for user, count, _ in activity}, truth["sessions"], "sessions of user")
    lines += [
        f"user {user}: {count} sessions of {seconds} s"
        for user, count, seconds in activity
        if str(user) in truth["sessions"] and abs(seconds - 60 * count) > 1e-6
    ]
    recordings = collections.Counter(row[0] for row in rows(database, "SELECT egress_id FROM recordings"))
    return lines + outside(recordings, truth["recordings"], "recording")


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


def load(program, office, numbers):
    """Sends, and waits for all answers."""
    office.send(program.ports["public"], numbers, refuses=True)


def load_and_kill(program, office, numbers, seconds):
    """Kills the program while it is being sent to; gives the scrape before."""
    sender = threading.Thread(target=office.send, args=(program.ports["public"], numbers))
    sender.start()
    threading.Event().wait(seconds)
    scraped = program.counters()
    if not sender.is_alive():
        raise SystemExit("everything was sent before the kill: give it more rooms")
    program.kill()
    sender.join()
    return scraped


def later(office, count):
    """What is sent to the next program about the first rooms: late news of what has ended, and ends of what is open."""
    rooms = office.rooms[:count]
    letters, changes = [], collections.Counter()
    for room in rooms:
        ends, by_room = room.endings()
        letters += ends
        changes.update(by_room)
    return {
        "echoes": [letter.body.decode() for room in rooms for letter in room.echoes()],
        "endings": {
            "letters": [letter.body.decode() for letter in letters],
            "changes": changes,
            "absent": [letter.leaves for letter in letters if letter.leaves],
        },
    }


def make(path, folder):
    """Four states of a program that was killed under load."""
    cases = {
        "snapshot-and-tail": (4, "1s", None),
        "tail-only": (1.5, "1h", None),
        "rows-waiting": (4, "1s", "database"),
        "samples-waiting": (4, "1s", "receiver"),
    }
    for name, (seconds, interval, away) in cases.items():
        state = os.path.join(folder, name, "state")
        log = os.path.join(folder, f"{name}.log")
        migrate(path, state)
        lock = sqlite3.connect(os.path.join(state, "office.db"), isolation_level=None)
        if away == "database":
            lock.execute("BEGIN IMMEDIATE")
        receiver, office = Receiver(), Office()
        program = Program(
            path, state, log, GRAFANA_PROM_REMOTE_WRITE_URL=receiver.url, SNAPSHOT_INTERVAL=interval,
            # So often that the journal has inputs besides events.
            ACTIVITY_REFRESH="500ms", PRESENCE_REFRESH="500ms")
        # A few rooms at a time, so that the state stays small; the last ones are under way when it is killed.
        first = 1
        end = time.time() + seconds
        while time.time() < end:
            load(program, office, range(first, first + 2))
            first += 2
            threading.Event().wait(0.5)
            # From the second round on, so that it has something to go on from.
            receiver.is_away = away == "receiver"
        late = later(office, 2)
        waiting = program.samples().get('lkpush_remote_write_spool_samples{destination="default"}', 0)
        scraped = load_and_kill(program, office, range(first, first + 400), 0.15)
        lock.close()
        receiver.stop()
        expect_none(receiver.faults, "pushed")
        expect_none([] if receiver.alive else [name], "nothing was pushed")
        os.remove(os.path.join(state, "lock"))
        truth = {
            "version": version(path),
            "killed_at": int(time.time()),
            "settings": LABELS,
            "scrape": scraped,
            "pushed": {"read_ms": receiver.read_ms, "series": receiver.alive},
            "samples_waiting": waiting,
            **office.truth(),
            **late,
        }
        with open(os.path.join(folder, name, "truth.json"), "w") as file:
            json.dump(truth, file, indent=1, sort_keys=True)
        print(f"{name}: {len(office.answered)} events answered, {len(office.unanswered)} not; left are {contents(state)}")
        with tarfile.open(os.path.join(folder, f"{name}.tar.gz"), "w:gz") as archive:
            for item in ("state", "truth.json"):
                archive.add(os.path.join(folder, name, item), item)
        shutil.rmtree(os.path.join(folder, name))


def version(path):
    return subprocess.run([path, "version"], check=True, capture_output=True, text=True).stdout.strip()


def expect_none(lines, when):
    if lines:
        raise SystemExit(f"{when}:\n" + "\n".join(lines[:20]))


def prove(old, new, folder):
    """OLD killed -> NEW killed -> NEW stopped -> OLD killed -> NEW.

    NEW pushes to two destinations, with different families. OLD pushes to one, and must not take what the other one was
    sent for its own.
    """
    state, log = os.path.join(folder, "state"), os.path.join(folder, "lkpush.log")
    database = os.path.join(state, "office.db")
    # Versions before 0.3.0 leave out no families.
    is_selective = version(old).split()[-1] >= "0.3"
    receiver, second = Receiver(never="lk_ingress_" if is_selective else None), Receiver(never="lkpush_")
    settings = {"GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url}
    if is_selective:
        settings["METRICS_EXCLUDE"] = "lk_ingress_*"
    others = {
        "REMOTE_WRITE_DESTINATIONS": "eu",
        "REMOTE_WRITE_DESTINATION_EU_URL": second.url,
        "REMOTE_WRITE_DESTINATION_EU_EXCLUDE": "lkpush_*",
    }
    office, scraped, first = Office(), {}, 1
    migrate(old, state)
    compares_entities = True
    steps = [("old", old, "kill"), ("new", new, "kill"), ("new", new, "stop"), ("old", old, "kill"), ("new", new, "stop")]
    for place, (name, path, end) in enumerate(steps):
        program = Program(path, state, log, **settings, **(others if name == "new" else {}))

        def look(when):
            settle(program)
            lines = faults(office.truth(), program, database, scraped) + receiver.faults + second.faults
            if compares_entities:
                lines += entity_faults(office.truth(), program, database)
            expect_none(lines, f"{name}, start {place + 1}, {when}")

        look("after its start")
        # One round is answered whole, the next one is under way when it is killed.
        load(program, office, range(first, first + 30))
        settle(program)
        if place == 0 and entity_faults(office.truth(), program, database):
            # It counts what is open by other rules, by itself and without a restart.
            compares_entities = False
            print("the older program counts what is open by other rules: that is not compared")
        look("after its first round")
        if end == "kill":
            scraped = load_and_kill(program, office, range(first + 30, first + 430), 1)
        else:
            scraped = program.counters()
            program.stop()
        expect_none(
            outside(collections.Counter(set_aside(state)), office.truth()["refused"], "set aside of user"),
            f"{name} after its end")
        first += 430
        print(f"{name} {version(path)}: {len(office.answered)} events answered so far, then {end}: nothing lost, nothing twice")
    for one in (receiver, second):
        one.stop()
        expect_none([] if one.read_ms else [one.url], "nothing was pushed")
    with open(log) as lines:
        messages = collections.Counter(
            json.loads(line)["msg"] for line in lines if '"level":"warn' in line or '"level":"error' in line)
    expect_none([message for message in messages if "begin at zero" in message], "in the log")
    for name, one in (("default", receiver), ("eu", second)):
        print(f"pushed to {name}: no counter was lower and no sample earlier than one before; left alive by the last stop:",
            sorted(one.alive)[:5] or "none")
    print("warnings and errors in the log:", dict(messages) or "none")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3])
    else:
        prove(sys.argv[2], sys.argv[3], sys.argv[4])
