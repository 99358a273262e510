"""The form of a result: what the table and the page rely on."""

import math

VERSION = 1
KINDS = ("self", "peer", "limit")
GROUPS = {
    "tcp": "TCP", "bulk": "Bulk", "udp": "UDP", "latency": "Latency at a fixed rate", "memory": "Memory",
    "calls": "System calls", "forwarding": "Through a router's namespace", "shards": "Shards",
}
PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")
NUMBERS = ("rate", "cpu", "machine", "busy", "load", "others", "memory")


class FormError(Exception):
    """A file that is not a result of this version."""


def check(result, name="result"):
    """FormError where something is missing, or of another kind than the table or the page need."""
    def need(holds, what):
        if not holds:
            raise FormError(f"{name}: {what}")

    def fields(value, where, strings=(), numbers=()):
        need(isinstance(value, dict), f"{where} is no object")
        for key in strings:
            need(isinstance(value.get(key), str), f"{where}: no {key}, or it is no text")
        for key in numbers:
            need(is_number(value.get(key)), f"{where}: no {key}, or it is no number")

    def objects(value, where):
        need(isinstance(value, list) and all(isinstance(each, dict) for each in value),
             f"{where} are no list of objects")
        return value

    need(isinstance(result, dict) and result.get("version") == VERSION, f"not a result of version {VERSION}")
    for key in ("date", "commit", "is_quick", "rounds", "machine", "contestants", "left_out", "works"):
        need(key in result, f"no {key}")
    fields(result, "the result", ("date", "commit"), ("rounds",))
    need(isinstance(result["is_quick"], bool), "is_quick is neither true nor false")
    fields(result["machine"], "machine", ("name", "cpu", "kernel"), ("cores", "memory"))
    need(is_number(result["machine"].get("rmem_max", 0)), "machine: rmem_max is no number")
    for each in objects(result["contestants"], "contestants"):
        fields(each, f"contestant {each.get('id')}", ("id", "name", "version", "kind"))
        need(each["kind"] in KINDS, f"{each['id']}: kind {each['kind']}")
    for each in objects(result["left_out"], "left_out"):
        fields(each, "left_out", ("id", "why"))
    known = {each["id"] for each in result["contestants"]}
    for work in objects(result["works"], "works"):
        where = f"work {work.get('id')}"
        fields(work, where, ("id", "title", "group", "unit", "topology"))
        need(work["group"] in GROUPS, f"{where}: group {work['group']}")
        need(isinstance(work.get("note") or "", str), f"{where}: its note is no text")
        need(work.get("rate") is None or is_number(work["rate"]), f"{where}: its rate is no number")
        for key in ("rounds", "problems"):
            need(isinstance(work.get(key), dict), f"{where}: no {key}, or they are no object")
            for one in work[key]:
                need(one in known, f"{where}: contestant {one} is not among the contestants")
        for one, why in work["problems"].items():
            need(isinstance(why, str), f"{where}: {one}'s problem is no text")
        if work.get("target") is not None:
            fields(work["target"], f"{where}: target", ("figure",), ("ratio",))
            for key in {"of", "over"} & set(work["target"]):
                need(isinstance(work["target"][key], str), f"{where}: target: {key} is no text")
        for one, rounds in work["rounds"].items():
            for number, each in enumerate(objects(rounds, f"{where}: {one}'s rounds"), 1):
                check_round(each, f"{where}: {one}, round {number}", need)


def check_round(round, where, need):
    """A round's figures are numbers; those that are groups of figures are objects of numbers."""
    for key in NUMBERS:
        need(key not in round or is_number(round[key]), f"{where}: {key} is no number")
    for key in ("latency", "calls"):
        group = round.get(key, {})
        need(isinstance(group, dict) and all(is_number(each) for each in group.values()),
             f"{where}: {key} is no object of numbers")


def is_number(value):
    """NaN and infinities are let through: the page leaves them out."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and (
        isinstance(value, float) or math.log2(abs(value) + 1) < 1000)
