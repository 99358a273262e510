"""Patches of JSON documents: merge patches (RFC 7386) and JSON patches (RFC 6902). Nothing that goes in is changed."""

import copy


class PatchError(Exception):
    """The patch does not fit the document, or is none."""


def merge(document, patch):
    """RFC 7386: null removes, objects are merged, all else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def apply(document, operations):
    """RFC 6902: one operation after the other; all or nothing."""
    if not isinstance(operations, list):
        raise PatchError("a JSON patch is an array")
    result = copy.deepcopy(document)
    for operation in operations:
        result = _operate(result, operation)
    return result


def _operate(document, operation):
    try:
        name, path = operation["op"], _pointer(operation["path"])
        match name:
            case "add":
                return _add(document, path, copy.deepcopy(operation["value"]))
            case "remove":
                return _remove(document, path)
            case "replace":
                return _add(_remove(document, path), path, copy.deepcopy(operation["value"])) if path \
                    else copy.deepcopy(operation["value"])
            case "move":
                source = _pointer(operation["from"])
                value = _get(document, source)
                return _add(_remove(document, source), path, value)
            case "copy":
                return _add(document, path, copy.deepcopy(_get(document, _pointer(operation["from"]))))
            case "test":
                if _get(document, path) != operation["value"]:
                    raise PatchError(f"testing value {operation['path']} failed")
                return document
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise PatchError(f"{operation}: {error!r}") from None
    raise PatchError(f"unexpected kind: {name}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise PatchError(f"no JSON pointer: {text}")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _get(document, path: list[str]):
    for part in path:
        document = document[_index(part, len(document) - 1)] if isinstance(document, list) else document[part]
    return document


def _add(document, path: list[str], value):
    if not path:
        return value
    parent = _get(document, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else _index(path[-1], len(parent)), value)
    else:
        parent[path[-1]] = value
    return document


def _remove(document, path: list[str]):
    if not path:
        return None
    parent = _get(document, path[:-1])
    del parent[_index(path[-1], len(parent) - 1) if isinstance(parent, list) else path[-1]]
    return document


def _index(text: str, last: int) -> int:
    index = int(text)
    if not 0 <= index <= last or str(index) != text:
        raise PatchError(f"no such index: {text}")
    return index
