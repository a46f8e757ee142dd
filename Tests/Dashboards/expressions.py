"""Checks that a query parses and names only families and labels that lkpush has."""

import dataclasses
import datetime
import re
import typing

import promql_parser as promql

# What every pushed series has, beside the labels of its family.
PUSHED = {"job", "instance", "environment", "region", "service"}
SUFFIXES = {"_bucket": {"le"}, "_sum": set(), "_count": set()}
SHORTEST = datetime.timedelta(minutes=5)
# Values for the variables that take their place well enough for the parser.
STAND_INS = {"__range": "1h", "__rate_interval": "5m", "__interval": "5m"}
VARIABLE = re.compile(r"\$\{(\w+)[^}]*\}|\$([A-Za-z_]\w*)")
VALUES = re.compile(r"label_values\((.+),\s*([a-zA-Z_]\w*)\)")


@dataclasses.dataclass(frozen=True)
class Known:
    families: dict[str, dict[str, typing.Any]]
    rules: set[str]

    def labels_of(self, name: str) -> set[str] | None:
        """Returns the labels of a series' name, None if nothing has that name. A rule may have any, told by `*`."""
        if name in self.rules:
            return {"*"}
        for suffix, more in SUFFIXES.items():
            family = self.families.get(name.removesuffix(suffix))
            if name.endswith(suffix) and family and family["kind"] == "histogram":
                return set(family["labels"]) | PUSHED | more
        family = self.families.get(name)
        if family and family["kind"] != "histogram":
            return set(family["labels"]) | PUSHED
        return None


def check_values(query: str, known: Known) -> typing.Iterator[str]:
    """Checks the query of a variable."""
    found = VALUES.fullmatch(query)
    if not found:
        yield f"it is not label_values(SERIES, LABEL): {query}"
        return
    yield from check_query(found[1], set(), known)
    for name in names_of(promql.parse(VARIABLE.sub("any", found[1]))):
        labels = known.labels_of(name)
        if labels is not None and found[2] not in labels and "*" not in labels:
            yield f"{name} has no label {found[2]}"


def check_query(
    expr: str, shown: set[str], known: Known, narrowed: tuple[str, ...] = ()
) -> typing.Iterator[str]:
    """Checks an expression.

    `shown` are the labels that its legend names, and `narrowed` those by which every series has to be chosen.
    """
    try:
        parsed = promql.parse(VARIABLE.sub(lambda found: STAND_INS.get(found[1] or found[2], "any"), expr))
    except ValueError as error:
        yield f"it cannot be read: {error}"
        return
    problems: list[str] = []
    labels = _labels(parsed, known, problems)
    yield from problems
    yield from _wide(parsed, narrowed, known)
    if "*" not in labels:
        yield from (f"the legend shows {label}, which the result does not have" for label in sorted(shown - labels))


def _labels(expr: typing.Any, known: Known, problems: list[str]) -> set[str]:
    """Returns the labels that the series of a result have, and notes what is wrong."""
    match expr:
        case promql.VectorSelector():
            return _selected(expr, known, problems)
        case promql.MatrixSelector():
            if expr.range < SHORTEST:
                problems.append(f"{expr} is shorter than 5m, and counters that idle come every 4m")
            return _selected(expr.vector_selector, known, problems)
        case promql.SubqueryExpr() | promql.ParenExpr() | promql.UnaryExpr():
            return _labels(expr.expr, known, problems)
        case promql.AggregateExpr():
            return _aggregated(expr, known, problems)
        case promql.BinaryExpr():
            return _joined(expr, known, problems)
        case promql.Call():
            labels = set().union(*(_labels(argument, known, problems) for argument in expr.args))
            if expr.func.name == "label_replace":
                labels |= {expr.args[1].val}
                _need({expr.args[3].val}, labels, "label_replace", problems)
            return labels - {"le"} if expr.func.name == "histogram_quantile" else labels
    return set()


def _wide(parsed: typing.Any, narrowed: tuple[str, ...], known: Known) -> typing.Iterator[str]:
    """Finds the series that a variable does not narrow."""
    found: list[str] = []

    def note(expr: typing.Any) -> None:
        selector = expr.vector_selector if isinstance(expr, promql.MatrixSelector) else expr
        if isinstance(selector, promql.VectorSelector) and selector.name not in known.rules:
            names = {matcher.name for matcher in selector.matchers.matchers}
            found.extend(f"{selector.name} is not chosen by {label}" for label in narrowed if label not in names)

    promql.walk(parsed, note)
    yield from sorted(set(found))


def _need(wanted: set[str], labels: set[str], what: str, problems: list[str]) -> None:
    if "*" not in labels:
        problems += [f"{what}: there is no label {label}" for label in sorted(wanted - labels)]


def names_of(selector: typing.Any) -> list[str]:
    """Returns the names that a selector asks for. Several are written as `{__name__=~"a|b"}`."""
    if selector.name:
        return [selector.name]
    found = [matcher.value for matcher in selector.matchers.matchers if matcher.name == "__name__"]
    return [name for value in found for name in value.split("|")]


def _selected(selector: typing.Any, known: Known, problems: list[str]) -> set[str]:
    """Returns the labels that all of the selected series have."""
    common: set[str] = set()
    for number, name in enumerate(names_of(selector)):
        labels = known.labels_of(name)
        if labels is None:
            problems.append(f"lkpush has no {name}")
            return {"*"}
        _need({matcher.name for matcher in selector.matchers.matchers} - {"__name__"}, labels, name, problems)
        common = common & labels if number else labels
    return common


def _aggregated(expr: typing.Any, known: Known, problems: list[str]) -> set[str]:
    labels = _labels(expr.expr, known, problems)
    keeps_all = str(expr.op) in ("topk", "bottomk")
    if expr.modifier is None:
        return labels if keeps_all else set()
    named = set(expr.modifier.labels)
    _need(named, labels, str(expr.op), problems)
    if expr.modifier.type == promql.AggModifierType.By:
        return labels if keeps_all else named
    return labels - named


def _is_scalar(expr: typing.Any) -> bool:
    match expr:
        case promql.ParenExpr() | promql.UnaryExpr():
            return _is_scalar(expr.expr)
        case promql.BinaryExpr():
            return _is_scalar(expr.lhs) and _is_scalar(expr.rhs)
        case promql.Call():
            return expr.func.name in ("time", "scalar", "pi")
    return isinstance(expr, promql.NumberLiteral)


def _joined(expr: typing.Any, known: Known, problems: list[str]) -> set[str]:
    left, right = _labels(expr.lhs, known, problems), _labels(expr.rhs, known, problems)
    modifier = expr.modifier
    if modifier is not None and modifier.matching is not None:
        for side in (left, right):
            _need(set(modifier.matching.labels), side, "the join", problems)
    elif not (_is_scalar(expr.lhs) or _is_scalar(expr.rhs) or str(expr.op) in ("and", "or", "unless")):
        if left != right and "*" not in left | right:
            problems.append(f"nothing matches: one side has {sorted(left)}, the other {sorted(right)}")
    if str(expr.op) == "or":
        return left | right
    if modifier is not None and modifier.group_labels:
        _need(set(modifier.group_labels), right, "group_left", problems)
        return left | set(modifier.group_labels)
    return left or right
