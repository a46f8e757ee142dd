"""The row of the pipeline's dashboard about replicas that share a journal in PostgreSQL."""

from .panel import AMOUNT, COUNT, ITS_NAME, ONE, RATE, SECONDS, Graph, Query, Row, Threshold, quantiles

# One process with a journal of its own has none of these series.
ALONE = "one process"

REPLICAS = Row(
    "Replicas",
    (
        Graph(
            title="Who leads",
            shows="1 for the replica that leads the log, 0 for the others. The leader counts, writes rows and pushes "
            "the shared series; all take webhooks.",
            normal="one at 1. A change takes LEASE_TTL (4 s) and a second or two; after a stop in order, less.",
            otherwise="none at 1: the alert LkpushNoLeader says what to do. See *Changes of the leader* where it moves "
            "again and again.",
            unit=COUNT,
            decimals=0,
            max=1,
            no_value=ALONE,
            queries=(Query(ITS_NAME, f"max by ({ONE}) (lkpush_leader{{SELF}})"),),
        ),
        Graph(
            title="Events not applied yet",
            shows="Events in the log that the leader has not applied, as each replica sees it, and the time since the "
            "replica last reached the log.",
            normal="near 0, and about a second.",
            otherwise="events on all replicas: the leader does not keep up, or none leads. A contact that grows older: "
            "this replica cannot reach PostgreSQL, so it cannot take over; see *Events on their own disks*.",
            unit=AMOUNT,
            no_value=ALONE,
            queries=(
                Query("events " + ITS_NAME, f"max by ({ONE}) (lkpush_log_events_behind{{SELF}})"),
                Query(
                    "seconds without contact " + ITS_NAME,
                    f"max by ({ONE}) (lkpush_log_contact_age_seconds{{SELF}})",
                ),
            ),
        ),
        Graph(
            title="Append time of the log",
            shows="The time of an append to the log in PostgreSQL, which every webhook waits for. It includes that of "
            "the synchronous standby.",
            normal="p99 below 50 ms.",
            otherwise="above 300 ms events go to the replica's own disk. PostgreSQL is slow, or its standby is far "
            "away.",
            unit=SECONDS,
            thresholds=(Threshold(0.3, "red"),),
            no_value=ALONE,
            queries=quantiles("SELF", "lkpush_log_append_duration_seconds", RATE, (50, 99), ONE, ITS_NAME),
        ),
        Graph(
            title="Events on their own disks",
            shows="Events that wait on a replica's own disk because PostgreSQL is away, and per hour those that were "
            "damaged there.",
            normal="0.",
            otherwise="PostgreSQL is away, or does not take writes. They are forwarded in order when it is back. "
            "`lost`: the disk is broken.",
            unit=COUNT,
            decimals=0,
            no_value=ALONE,
            queries=(
                Query("waiting " + ITS_NAME, f"sum by ({ONE}) (lkpush_spill_events{{SELF}})"),
                Query(
                    "lost " + ITS_NAME,
                    f"sum by ({ONE}) (increase(lkpush_spill_lost_events_total{{SELF}}[1h])) > 0",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Changes of the leader",
            shows="How often a replica took the lead, and lost it without a stop, per hour.",
            normal="none, or one for each replica at an update.",
            otherwise="who loses it again and again is paused, restarted or far from PostgreSQL. The alert "
            "LkpushLeaderFlapping begins at more than 8.",
            unit=COUNT,
            decimals=0,
            no_value=ALONE,
            queries=(
                Query("took " + ITS_NAME, f"sum by ({ONE}) (increase(lkpush_leaderships_total{{SELF}}[1h]))"),
                Query(
                    "lost " + ITS_NAME,
                    f"sum by ({ONE}) (increase(lkpush_leaderships_lost_total{{SELF}}[1h])) > 0",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Readings held",
            shows="Readings of the shared series per minute that were not sent, because the log did not confirm them, "
            "and appends that failed.",
            normal="none.",
            otherwise="PostgreSQL is away: shared series have a gap as long as that. Nothing is counted twice or lost.",
            unit=AMOUNT,
            no_value=ALONE,
            queries=(
                Query("held " + ITS_NAME, f"sum by ({ONE}) (rate(lkpush_readings_held_total{{SELF}}[{RATE}])) * 60"),
                Query(
                    "appends that failed " + ITS_NAME,
                    f"sum by ({ONE}) (rate(lkpush_log_append_failures_total{{SELF}}[{RATE}])) * 60 > 0",
                    shows_failures=True,
                ),
            ),
        ),
    ),
)
