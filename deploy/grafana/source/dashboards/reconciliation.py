"""The row of the pipeline's dashboard about the comparison with LiveKit's API."""

from .panel import AMOUNT, COUNT, ITS_NAME, ONE, SECONDS, Graph, Query, Row, Threshold

OFF = "not polled"

RECONCILIATION = Row(
    "Reconciliation with LiveKit's API",
    (
        Graph(
            title="Differences to LiveKit's API",
            shows="What the last poll found: `missing` is what LiveKit has and lkpush has not, `extra` the other way "
            "round.",
            normal="0. A lost webhook shows for some minutes, until polls agree and it is corrected.",
            otherwise="for longer: webhooks get lost again and again. See *Refused webhooks by reason*, then which "
            "LiveKit server does not send; the alert LkpushWebhooksMissing says more.",
            unit=COUNT,
            decimals=0,
            no_value=OFF,
            queries=(
                Query(
                    "{{entity}} {{direction}} " + ITS_NAME,
                    f"sum by ({ONE}, entity, direction) (lkpush_reconcile_drift{{SELF}})",
                ),
            ),
        ),
        Graph(
            title="Corrections by action",
            shows="Corrections per hour. `adopted`: a start was lost. `ended`: an end was lost, and LiveKit tells "
            "it. `estimated`: it ended unseen, at its last evidence. `dropped`: closed without an end.",
            normal="as many as webhooks get lost: none, or a few.",
            otherwise="many at once follow an outage between LiveKit and lkpush. Many `estimated` ones make sessions "
            "a little too short.",
            unit=AMOUNT,
            no_value="none",
            queries=(
                Query(
                    "{{entity}} {{action}} " + ITS_NAME,
                    f"sum by ({ONE}, entity, action) (increase(lkpush_reconcile_corrections_total{{SELF}}[1h])) > 0",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Age of the last successful poll",
            shows="The time since all lists of LiveKit's API last came. The line is the begin of the alert "
            "LkpushReconciliationFailing.",
            normal="RECONCILE_INTERVAL (60 s) and less.",
            otherwise="it rises by a second each second: see *Failed requests to LiveKit's API*. Webhooks are counted "
            "as always, only corrections wait.",
            unit=SECONDS,
            thresholds=(Threshold(150, "red"),),
            no_value=OFF,
            queries=(
                Query(
                    ITS_NAME,
                    f"time() - min by ({ONE}) (lkpush_reconcile_last_success_timestamp_seconds{{SELF}} > 0)",
                ),
            ),
        ),
        Graph(
            title="Ghosts and conflicts",
            shows="What LiveKit lists though it has ended, which is not counted. And per hour the differences that "
            "are not corrected, because LiveKit's answers contradict each other.",
            normal="none.",
            otherwise="ghost rooms stay in LiveKit after the crash of a node: `lk room delete NAME` ends one. Conflicts: "
            "hidden participants, or people who came back under the same identity.",
            unit=AMOUNT,
            no_value="none",
            queries=(
                Query(
                    "ghost: {{entity}} " + ITS_NAME,
                    f"sum by ({ONE}, entity) (lkpush_reconcile_ghosts{{SELF}}) > 0",
                    shows_failures=True,
                ),
                Query(
                    "conflict: {{entity}} " + ITS_NAME,
                    f"sum by ({ONE}, entity) (increase(lkpush_reconcile_conflicts_total{{SELF}}[1h])) > 0",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Suspicious lists",
            shows="Polls per hour that corrected nothing, or only after a third one agreed, by the reason why their "
            "lists are suspicious.",
            normal="none, or a few.",
            otherwise="at each poll: LiveKit's lists are not what happens in its rooms. Look at its Redis, and at the "
            "log of its servers.",
            unit=AMOUNT,
            no_value="none",
            queries=(
                Query(
                    "{{reason}} " + ITS_NAME,
                    f"sum by ({ONE}, reason) (increase(lkpush_reconcile_untrusted_total{{SELF}}[1h])) > 0",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Failed requests to LiveKit's API",
            shows="Requests per hour that were not answered with 200, by call, and by status or kind of failure.",
            normal="none.",
            otherwise="401: the key, or the clock. 429: somebody else uses up the requests of the project. 5xx: "
            "LiveKit or its Redis. `lkpush check` asks each list once and says what is wrong.",
            unit=AMOUNT,
            no_value="none",
            queries=(
                Query(
                    "{{call}} {{code}} " + ITS_NAME,
                    f"sum by ({ONE}, call, code)"
                    ' (increase(lkpush_reconcile_requests_total{SELF, code!="200"}[1h])) > 0',
                    shows_failures=True,
                ),
            ),
        ),
    ),
)
