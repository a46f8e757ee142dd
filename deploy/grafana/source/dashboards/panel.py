"""What a dashboard declares: panels, their queries, and the rows that they stand in.

A panel is one declaration. What Grafana wants to know of it beyond that is decided in `rendering`.
"""

import dataclasses
import re
import typing

# Counts are shown as they are, without a suffix such as K.
COUNT = "none"
# Counts that may be large or are not whole.
AMOUNT = "short"
SECONDS = "s"
# Grafana would turn many minutes into days; plans and invoices count minutes.
MINUTES = "suffix:min"
SHARE = "percentunit"
BYTES = "bytes"
BYTES_PER_SECOND = "Bps"
EVENTS_PER_SECOND = "eps"
REQUESTS_PER_SECOND = "reqps"

# The time that a rate looks back: Grafana's choice, and 5 min at least.
RATE = "$__rate_interval"
# The labels that tell one lkpush from another: two regions may each have an instance `lkpush-0`.
ONE = "region, job, instance"
# What legends call it.
ITS_NAME = "{{instance}} {{region}}"
# lkpush itself. Without its own families (METRICS_EXCLUDE=lkpush_*) the count of webhooks stands for it.
ANY_LKPUSH = '__name__=~"lkpush_build_info|lk_webhook_events_total"'

# The matchers of every query. A query names them as the first word in its braces: `lk_room_active{ORG}`.
_ALL = 'environment="$environment", job=~"$job"'
_SELF = _ALL + ', instance=~"$instance"'
SELECTORS = {
    "ALL": _ALL,
    "ORG": _ALL + ', org_id=~"$org_id"',
    "SELF": _SELF,
    "DEST": _SELF + ', destination=~"$destination"',
}
_SELECTOR = re.compile(r"\{(" + "|".join(SELECTORS) + r")\b")


@dataclasses.dataclass(frozen=True)
class Query:
    """A PromQL expression and the name of what it draws.

    `shows_failures`: it has no series until something fails. `days`: it reads a past of so many days, and is empty in a
    younger database. Neither is in the JSON: they are for those who run the queries.
    """

    legend: str
    text: str
    shows_failures: bool = False
    days: int = 0

    @property
    def expr(self) -> str:
        """The expression with its matchers, as Grafana gets it."""
        return _SELECTOR.sub(lambda found: "{" + SELECTORS[found[1]], self.text)


@dataclasses.dataclass(frozen=True)
class Threshold:
    """From `value` on, the color is this one."""

    value: float
    color: str


@dataclasses.dataclass(frozen=True)
class Panel:
    """What all panels have. Three texts make the description: what it shows, what is normal, and what to do if not."""

    title: str
    shows: str
    normal: str
    otherwise: str
    unit: str
    queries: tuple[Query, ...]
    width: int = 8
    height: int = 8
    min: float | None = 0
    max: float | None = None
    decimals: int | None = None
    # The color below the first threshold, and the thresholds in rising order.
    base: str | None = None
    thresholds: tuple[Threshold, ...] = ()
    # The text for a panel without data, where emptiness means something.
    no_value: str | None = None
    # Whether it shows this month so far, whatever time is chosen. `$__range` is then that time.
    is_of_month: bool = False

    @property
    def description(self) -> str:
        return f"{self.shows}\n\n**Normal:** {self.normal}\n\n**Otherwise:** {self.otherwise}"


@dataclasses.dataclass(frozen=True)
class Stat(Panel):
    """One large number per query, asked for at the end of the shown time: what has ended by then is not shown.

    A query over the shown time has `$__range` in it.
    """

    width: int = 4
    height: int = 4
    # Words for values: {1: ("writable", "green")}, or for ranges: {(0, 0.01): ("fine", "green")}.
    words: dict[typing.Any, tuple[str, str]] = dataclasses.field(default_factory=dict)
    # Whether the name of the series is shown, and not its value.
    shows_name: bool = False


@dataclasses.dataclass(frozen=True)
class Graph(Panel):
    """Lines over time."""

    is_stacked: bool = False
    # Names of series that are limits: dashed and red.
    limits: tuple[str, ...] = ()
    # Whether points far apart are joined.
    joins: bool = False


@dataclasses.dataclass(frozen=True)
class HeatMap(Panel):
    """The buckets of a histogram over time. Its one query is grouped by `le`.

    It counts over `$__interval`, which is the width of a cell, so that each event is in one cell.
    """


@dataclasses.dataclass(frozen=True)
class Table(Panel):
    """One line per organization. The legend of a query is the title of its column, `units` may give it a unit."""

    units: dict[str, str] = dataclasses.field(default_factory=dict)
    # The labels that become columns, with their titles. Other labels are hidden.
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    # The label whose column leads to the dashboard of an organization.
    is_linked: bool = True
    # A column that is drawn as a bar with the thresholds.
    bar: str | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclasses.dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard: a label's values.

    `all`: several or all may be chosen. `None` is one only, an empty text means the values that were found, and any
    other text is the expression for all of them.
    """

    name: str
    label: str
    about: str
    query: str
    all: str | None = None
    is_hidden: bool = False


@dataclasses.dataclass(frozen=True)
class Dashboard:
    file: str
    uid: str
    title: str
    about: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    time: str = "now-24h"

    @property
    def panels(self) -> list[Panel]:
        return [panel for row in self.rows for panel in row.panels]


def quantiles(
    selector: str, family: str, over: str, shares: typing.Sequence[int] = (50, 90, 99), by: str = "", name: str = ""
) -> tuple[Query, ...]:
    """Returns one query per quantile of a histogram, of all its series or of those that are alike in labels.

    A bound is `1` where lkpush pushes and `1.0` where Prometheus scrapes. For `histogram_quantile` they are the same.
    """
    labels = f"{by}, le" if by else "le"
    return tuple(
        Query(
            f"p{share} {name}".strip(),
            f"histogram_quantile({share / 100:g}, sum by ({labels}) (rate({family}_bucket{{{selector}}}[{over}])))",
        )
        for share in shares
    )


def or_0(expr: str, there: str = f"{{ALL, {ANY_LKPUSH}}}") -> str:
    """Gives 0 to what nothing is reported of, as long as something else is there: a lkpush, or the organization."""
    return f"{expr} or count({there}) * 0"


def by_bound(expr: str) -> str:
    """Adds up buckets by their bound, however it is written: `1` and `1.0` are one bound."""
    bounds = f'sum by (bound) (label_replace({expr}, "bound", "$1", "le", "(.+?)([.]0)?"))'
    return f'sum by (le) (label_replace({bounds}, "le", "$1", "bound", "(.+)"))'


ENVIRONMENT = Variable(
    name="environment",
    label="Environment",
    about="The setting ENVIRONMENT of lkpush. One at a time, because their numbers do not belong together.",
    query=f"label_values({{{ANY_LKPUSH}}}, environment)",
)
JOB = Variable(
    name="job",
    label="Job",
    about="The label job. Choose one if the same lkpush is both scraped and pushes, or it is counted twice.",
    query=f'label_values({{{ANY_LKPUSH}, environment="$environment"}}, job)',
    all=".*",
)


def events_of_no_organization(shows: str) -> Stat:
    """The number of such events, for every dashboard of usage: they are missing in all others."""
    return Stat(
        title="Events of no organization",
        shows=shows,
        normal="0.",
        otherwise="the dashboard *lkpush pipeline* shows the reasons, and lkpush's log names the rooms.",
        unit=COUNT,
        decimals=0,
        base="green",
        thresholds=(Threshold(1, "red"),),
        no_value="none reported",
        queries=(
            Query("events", "sum(increase(lk_org_lookup_failures_total{ALL}[$__range]))", shows_failures=True),
        ),
    )
