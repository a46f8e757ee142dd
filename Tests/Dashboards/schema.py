"""A strict walk over JSON by the classes of Grafana's foundation SDK.

The SDK's own `from_json` takes any value and drops what it does not know. Here an unknown key, a value of another type
and a missing required key are problems. Which keys there are is read from the classes' `to_json`, and their types from
the annotations.
"""

import ast
import enum
import functools
import importlib
import inspect
import textwrap
import types
import typing

from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import dashboard, prometheus

Problems = list[str]


def check_dashboard(content: dict[str, typing.Any]) -> Problems:
    return check(content, dashboard.Dashboard, "dashboard")


@functools.cache
def keys_of(model: type) -> tuple[dict[str, str], frozenset[str]]:
    """Returns the attribute of each JSON key, and the keys that are required."""
    keys: dict[str, str] = {}
    required: set[str] = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(model.to_json)))):
        match node:
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Attribute):
                        keys[key.value] = value.attr
                        required.add(key.value)
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(key))], value=ast.Attribute(attr=name)):
                keys[str(key)] = name
    return keys, frozenset(required)


@functools.cache
def hints_of(model: type) -> dict[str, typing.Any]:
    return typing.get_type_hints(model)


def check(value: typing.Any, hint: typing.Any, path: str) -> Problems:
    origin = typing.get_origin(hint)
    if hint is object or hint is typing.Any:
        return []
    if origin in (typing.Union, types.UnionType):
        return _check_union(value, typing.get_args(hint), path)
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: a list is expected, not {value!r}"]
        (item,) = typing.get_args(hint)
        return [problem for place, each in enumerate(value) for problem in check(each, item, f"{path}[{place}]")]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{path}: an object is expected, not {value!r}"]
        _, item = typing.get_args(hint)
        return [problem for key, each in value.items() for problem in check(each, item, f"{path}.{key}")]
    if origin is typing.Literal:
        known = typing.get_args(hint)
        return [] if value in known else [f"{path}: {value!r} is none of {known}"]
    if hint is variants.Dataquery:
        return check(value, prometheus.Dataquery, path)
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        known = [member.value for member in hint]
        return [] if value in known and not isinstance(value, bool) else [f"{path}: {value!r} is none of {known}"]
    if hint in (str, int, float, bool, types.NoneType):
        return _check_plain(value, hint, path)
    if hasattr(hint, "to_json"):
        return _check_object(value, hint, path)
    return [f"{path}: the check does not know {hint}"]


def _check_plain(value: typing.Any, hint: type, path: str) -> Problems:
    fits = isinstance(value, (int, float) if hint is float else hint) and (hint is bool or not isinstance(value, bool))
    return [] if fits else [f"{path}: {hint.__name__} is expected, not {value!r}"]


def _check_union(value: typing.Any, choices: tuple[typing.Any, ...], path: str) -> Problems:
    """Returns the problems with the choice that fits best."""
    if value is None and types.NoneType in choices:
        return []
    if choices == (dashboard.Panel, dashboard.RowPanel) and isinstance(value, dict):
        return check(value, dashboard.RowPanel if value.get("type") == "row" else dashboard.Panel, path)
    rest = [choice for choice in choices if choice is not types.NoneType]
    return min((check(value, choice, path) for choice in rest), key=len)


def _check_object(value: typing.Any, model: type, path: str) -> Problems:
    if not isinstance(value, dict):
        return [f"{path}: an object is expected, not {value!r}"]
    keys, required = keys_of(model)
    hints = hints_of(model)
    problems = [f"{path}: {key} is missing" for key in sorted(required - value.keys())]
    for key, each in value.items():
        if key not in keys:
            problems.append(f"{path}: {model.__name__} has no {key}")
        elif keys[key] == "type_val" and hints[keys[key]] is str and model.__name__.endswith("Map"):
            # The class of a mapping stands for one word, which its annotation does not tell.
            expected = str(model().type_val)
            problems += [] if each == expected else [f"{path}.{key}: {expected!r} is expected, not {each!r}"]
        else:
            problems += check(each, hints[keys[key]], f"{path}.{key}")
    if model is dashboard.Panel:
        problems += _check_plugin(value, path)
    return problems


def _check_plugin(panel: dict[str, typing.Any], path: str) -> Problems:
    """Checks the options of a panel, and its overrides, by the classes of its type."""
    try:
        plugin = importlib.import_module(f"grafana_foundation_sdk.models.{panel.get('type')}")
        options = plugin.Options
    except (ImportError, AttributeError):
        return [f"{path}.type: no panel is called {panel.get('type')!r}"]
    custom = getattr(plugin, "FieldConfig", None)
    problems = check(panel.get("options", {}), options, f"{path}.options")
    config = panel.get("fieldConfig", {})
    drawn = config.get("defaults", {}).get("custom")
    if drawn is not None:
        problems += check(drawn, custom, f"{path}.fieldConfig.defaults.custom") if custom else [f"{path}: no custom"]
    for place, override in enumerate(config.get("overrides", [])):
        for each in override.get("properties", []):
            problems += _check_override(each, custom, f"{path}.fieldConfig.overrides[{place}]")
    return problems


def _check_override(override: dict[str, typing.Any], custom: type | None, path: str) -> Problems:
    name = str(override.get("id"))
    model: type | None = dashboard.FieldConfig
    if name.startswith("custom."):
        name, model = name.removeprefix("custom."), custom
    if model is None or name not in keys_of(model)[0]:
        return [f"{path}: nothing is called {override.get('id')!r}"]
    return check(override.get("value"), hints_of(model)[keys_of(model)[0][name]], f"{path}.{override['id']}")
