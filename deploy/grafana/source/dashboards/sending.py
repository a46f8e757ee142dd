"""The rows of the pipeline's dashboard about the push to receivers, and about the process."""

from .panel import (
    AMOUNT,
    BYTES,
    BYTES_PER_SECOND,
    COUNT,
    ITS_NAME,
    ONE,
    RATE,
    REQUESTS_PER_SECOND,
    SECONDS,
    SHARE,
    Graph,
    Query,
    Row,
    Threshold,
)

PUSH = Row(
    "Remote write, by destination",
    (
        Graph(
            title="Lag of the push",
            shows="The time between the newest sample read and the newest one confirmed, and the age of the oldest "
            "that waits.",
            normal="below a minute.",
            otherwise="it rises by a second each second: nothing is confirmed. See the answers beside.",
            unit=SECONDS,
            queries=(
                Query(
                    "{{destination}} lag " + ITS_NAME,
                    f"max by ({ONE}, destination) (lkpush_remote_write_lag_seconds{{DEST}})",
                ),
                Query(
                    "{{destination}} oldest " + ITS_NAME,
                    f"max by ({ONE}, destination) (lkpush_remote_write_queue_oldest_age_seconds{{DEST}})",
                ),
            ),
        ),
        Graph(
            title="Answers by status code",
            shows="Requests per second by the receiver's answer.",
            normal="200 or 204 only.",
            otherwise="401, 403: the token. 404, 405: the address. 429: the receiver's limits. 5xx: the receiver.",
            unit=REQUESTS_PER_SECOND,
            queries=(
                Query(
                    "{{destination}} {{code}} " + ITS_NAME,
                    f"sum by ({ONE}, destination, code) (rate(lkpush_remote_write_requests_total{{DEST}}[{RATE}]))",
                ),
            ),
        ),
        Graph(
            title="Requests without an answer",
            shows="Requests per second that failed before an answer, by kind.",
            normal="none.",
            otherwise="`connect`, `resolve`: the address, DNS or a firewall. `tls`: a certificate. `timeout`: the "
            "receiver hangs. `reset`: it, or a proxy, breaks the connection.",
            unit=REQUESTS_PER_SECOND,
            no_value="none",
            queries=(
                Query(
                    "{{destination}} {{kind}} " + ITS_NAME,
                    f"sum by ({ONE}, destination, kind) (rate(lkpush_remote_write_errors_total{{DEST}}[{RATE}]))",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Backlog",
            shows="Bytes of samples that wait in memory and in the spool on disk.",
            normal="a few hundred KiB.",
            otherwise="it grows while the receiver does not confirm. *How long the spool lasts* tells the time there "
            "is.",
            unit=BYTES,
            queries=(
                Query(
                    "{{destination}} memory " + ITS_NAME,
                    f"sum by ({ONE}, destination) (lkpush_remote_write_queue_bytes{{DEST}})",
                ),
                Query(
                    "{{destination}} spool " + ITS_NAME,
                    f"sum by ({ONE}, destination) (lkpush_remote_write_spool_bytes{{DEST}})",
                ),
            ),
        ),
        Graph(
            title="How long the spool lasts",
            shows="The time for which an empty spool would hold all samples, and the age of its oldest sample.",
            normal="hours, and an age near 0.",
            otherwise="when the age reaches it, the oldest samples are lost: raise SPOOL_MAX_BYTES or mend the "
            "receiver.",
            unit=SECONDS,
            queries=(
                Query(
                    "{{destination}} lasts " + ITS_NAME,
                    f"min by ({ONE}, destination) (lkpush_remote_write_spool_lasts_seconds{{DEST}})",
                ),
                Query(
                    "{{destination}} oldest " + ITS_NAME,
                    f"max by ({ONE}, destination) (lkpush_remote_write_spool_oldest_age_seconds{{DEST}})",
                ),
            ),
        ),
        Graph(
            title="Lost samples by reason",
            shows="Samples per hour that were dropped, by reason, or refused for good, by status code.",
            normal="none.",
            otherwise="400: the receiver finds them invalid, too old or over its limits; its answer is in the log. "
            "`spool_full`, `disk_reserve`, `too_old`: an outage was longer than the spool lasts.",
            unit=AMOUNT,
            no_value="none",
            queries=(
                Query(
                    "{{destination}} {{reason}} " + ITS_NAME,
                    f"sum by ({ONE}, destination, reason)"
                    f" (increase(lkpush_remote_write_samples_dropped_total{{DEST}}[1h])) > 0",
                    shows_failures=True,
                ),
                Query(
                    "{{destination}} {{code}} " + ITS_NAME,
                    f"sum by ({ONE}, destination, code)"
                    f" (increase(lkpush_remote_write_samples_rejected_total{{DEST}}[1h]))",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Sent and retried",
            shows="Samples per second that the receiver confirmed, and those sent again.",
            normal="confirmed only.",
            otherwise="many sent again: the receiver throttles or fails; see the answers.",
            unit=AMOUNT,
            width=12,
            queries=(
                Query(
                    "{{destination}} confirmed " + ITS_NAME,
                    f"sum by ({ONE}, destination) (rate(lkpush_remote_write_samples_accepted_total{{DEST}}[{RATE}]))",
                ),
                Query(
                    "{{destination}} sent again " + ITS_NAME,
                    f"sum by ({ONE}, destination) (rate(lkpush_remote_write_samples_retried_total{{DEST}}[{RATE}]))",
                ),
            ),
        ),
        Graph(
            title="Bytes sent",
            shows="Compressed bytes per second that the receiver confirmed.",
            normal="steady; less with IDLE_PUSH_INTERVAL.",
            otherwise="0 while lkpush runs: nothing is confirmed.",
            unit=BYTES_PER_SECOND,
            width=12,
            queries=(
                Query(
                    "{{destination}} " + ITS_NAME,
                    f"sum by ({ONE}, destination) (rate(lkpush_remote_write_bytes_accepted_total{{DEST}}[{RATE}]))",
                ),
            ),
        ),
    ),
)

PROCESS = Row(
    "Process",
    (
        Graph(
            title="Series held",
            shows="Time series that lkpush holds. The line is the default of MAX_SERIES, 150,000.",
            normal="some hundreds, and about 95 for a usual organization; more for one with recordings and streams.",
            otherwise="at MAX_SERIES new series are refused: raise it, or leave families out with METRICS_EXCLUDE.",
            unit=COUNT,
            decimals=0,
            thresholds=(Threshold(150_000, "red"),),
            queries=(
                Query(ITS_NAME, f"max by ({ONE}) (lkpush_series{{SELF}})"),
                Query(
                    "refused per hour: {{family}} " + ITS_NAME,
                    f"sum by ({ONE}, family) (increase(lkpush_series_refused_total{{SELF}}[1h]))",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Memory",
            shows="Resident memory. The line is what the customary container has, 300 MB.",
            normal="below 100 MB.",
            otherwise="it rises with series, open entities and the backlog in memory: see those panels.",
            unit=BYTES,
            thresholds=(Threshold(300e6, "red"),),
            queries=(Query(ITS_NAME, f"max by ({ONE}) (process_resident_memory_bytes{{SELF}})"),),
        ),
        Graph(
            title="CPU",
            shows="CPU time per second. The line is what the customary container has, half a CPU.",
            normal="a few per cent.",
            otherwise="it follows the webhooks and the series: see those panels.",
            unit=SHARE,
            decimals=1,
            thresholds=(Threshold(0.5, "red"),),
            queries=(Query(ITS_NAME, f"sum by ({ONE}) (rate(process_cpu_seconds_total{{SELF}}[{RATE}]))"),),
        ),
        Graph(
            title="Open files",
            shows="Open file descriptors as a share of what the process may have.",
            normal="a few per cent.",
            otherwise="above 80 % connections will be refused: raise the limit of open files.",
            unit=SHARE,
            decimals=1,
            width=12,
            thresholds=(Threshold(0.8, "red"),),
            queries=(
                Query(
                    ITS_NAME,
                    f"max by ({ONE}) (process_open_fds{{SELF}}) / max by ({ONE}) (process_max_fds{{SELF}})",
                ),
            ),
        ),
        Graph(
            title="Clocks",
            shows="How far lkpush's clock is ahead of the receiver, the database and LiveKit. Below 0 it is behind.",
            normal="within a second or two.",
            otherwise="set the time of the machine that differs from the others; the alert LkpushClockSkew begins at "
            "the lines. Webhooks are refused, and their events lost, when lkpush is 60 s behind LiveKit "
            "(WEBHOOK_CLOCK_LEEWAY) or 6 minutes ahead of it. Prometheus refuses samples that are more than 10 "
            "minutes ahead of it.",
            unit=SECONDS,
            min=None,
            width=12,
            limits=("30 s ahead", "30 s behind"),
            queries=(
                Query(
                    "{{against}} " + ITS_NAME,
                    f"max by ({ONE}, against) (lkpush_clock_skew_seconds{{SELF}})",
                ),
                Query("30 s ahead", "vector(30)"),
                Query("30 s behind", "vector(-30)"),
            ),
        ),
    ),
)
