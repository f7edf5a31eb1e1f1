"""Holds dashboards against Grafana's own models of them.

Reads a list of dashboards from stdin and writes a list of findings for each to stdout, both
JSON. The models read what they know and leave out the rest, without a word, and look at no
type. So what was read is written again: what is not in it then, no Grafana reads. And every
value is held against the type that its model declares.
"""

import enum
import inspect
import json
import sys
import typing

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel, RowPanel

PLUGINS = {"bargauge", "row", "stat", "state-timeline", "table", "timeseries"}


def written(model):
    return json.loads(json.dumps(model, cls=JSONEncoder))


def unread(given, read, place):
    """What is given and was not read, or otherwise."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            if key in read:
                yield from unread(value, read[key], f"{place}.{key}")
            elif value is not None:
                yield f"{place}.{key}: not a key"
    elif isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        for number, (one, other) in enumerate(zip(given, read)):
            yield from unread(one, other, f"{place}[{number}]")
    elif given != read:
        yield f"{place}: {given!r} was read as {read!r}"


def wrong(value, hint, place):
    """Where a value is not of its declared type."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint in (typing.Any, object) or isinstance(hint, typing.TypeVar):
        yield from members(value, place)
    elif origin is typing.Union:
        tries = [list(wrong(value, part, place)) for part in parts]
        # That which gets furthest is what was meant.
        yield from min(tries, key=lambda found: (bool(found), -depth(found)))
    elif origin is typing.Literal:
        if value not in parts:
            yield f"{place}: {value!r} is none of {parts}"
    elif origin is list:
        if not isinstance(value, list):
            yield f"{place}: {value!r} is no list"
        else:
            for number, item in enumerate(value):
                yield from wrong(item, parts[0], f"{place}[{number}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{place}: {value!r} is no object"
        else:
            for key, item in value.items():
                yield from wrong(item, parts[1], f"{place}.{key}")
    elif inspect.isclass(hint) and issubclass(hint, enum.Enum):
        if value not in [member.value for member in hint]:
            yield f"{place}: {value!r} is none of {[member.value for member in hint]}"
    elif hint is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{place}: {value!r} is no number"
    elif hint in (bool, int, str, type(None)):
        # A bool is an int in Python, and nowhere else.
        if not isinstance(value, hint) or isinstance(value, bool) != (hint is bool):
            yield f"{place}: {value!r} is no {hint.__name__}"
    elif isinstance(value, dict) and hasattr(hint, "from_json"):
        # Some models keep what is in them as it was.
        model = hint.from_json(value)
        yield from unread(value, written(model), place)
        yield from members(model, place)
    elif isinstance(value, dict):
        yield f"{place}: {value!r} is no {hint}"
    else:
        yield from members(value, place)


def depth(found):
    return max((problem.split(":")[0].count(".") for problem in found), default=0)


def members(model, place):
    if not hasattr(model, "to_json"):
        return
    for name, hint in typing.get_type_hints(type(model)).items():
        yield from wrong(getattr(model, name), hint, f"{place}.{name}")


def findings(given):
    try:
        read = Dashboard.from_json(given)
        found = list(unread(given, written(read), "")) + list(members(read, ""))
    except Exception as error:
        return [f"cannot be read: {error!r}"]
    for panel in given["panels"]:
        if panel.get("type") not in PLUGINS:
            found.append(f"panel {panel.get('id')}: {panel.get('type')!r} is no known plugin")
    ids = [panel.get("id") for panel in given["panels"]]
    if len(ids) != len(set(ids)):
        found.append("two panels have one id")
    return found


register_default_plugins()
json.dump([findings(given) for given in json.load(sys.stdin)], sys.stdout)
