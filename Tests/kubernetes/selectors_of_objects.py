"""Which objects a list or watch is about: labelSelector and fieldSelector."""

import re

from refusals import bad_request

_FIELDS = {
    "metadata.name": lambda body: body["metadata"]["name"],
    "metadata.namespace": lambda body: body["metadata"].get("namespace", ""),
    "involvedObject.name": lambda body: body.get("involvedObject", {}).get("name", ""),
    "involvedObject.kind": lambda body: body.get("involvedObject", {}).get("kind", ""),
    "reason": lambda body: body.get("reason", ""),
    "type": lambda body: body.get("type", ""),
    "spec.nodeName": lambda body: body.get("spec", {}).get("nodeName", ""),
}
_SET = re.compile(r"(\S+) (in|notin) \((.*)\)")


def selector(labels: str, fields: str):
    """A function that says whether an object's body is meant; None where all are."""
    tests = [_field(part) for part in fields.split(",") if part] + [
        _label(part.strip()) for part in re.split(r",(?![^(]*\))", labels) if part.strip()]
    return (lambda body: all(test(body) for test in tests)) if tests else None


def _field(text: str):
    match = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", text)
    if not match:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    name, operator, value = match.groups()
    if name not in _FIELDS:
        raise bad_request(f"field label not supported: {name}")
    return lambda body: (_FIELDS[name](body) == value) != (operator == "!=")


def _label(text: str):
    def labels(body):
        return body["metadata"].get("labels") or {}
    if match := _SET.fullmatch(text):
        name, operator, values = match[1], match[2], {value.strip() for value in match[3].split(",")}
        return lambda body: (labels(body).get(name) in values) == (operator == "in")
    if match := re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", text):
        name, operator, value = match[1].strip(), match[2], match[3].strip()
        return lambda body: (labels(body).get(name) == value) != (operator == "!=")
    if text.startswith("!"):
        return lambda body: text[1:] not in labels(body)
    return lambda body: text in labels(body)
