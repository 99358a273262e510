"""What an API server says when it says no: Status objects (meta/v1), in the words of kube-apiserver."""

from kinds import Kind

_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    409: "Conflict", 410: "Expired", 415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests",
    500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}


class Refusal(Exception):
    """A request that fails; `status` is the body of the answer."""

    def __init__(self, code: int, message: str, reason: str | None = None, details: dict | None = None,
                 metadata: dict | None = None):
        super().__init__(message)
        self.code = code
        self.status = {
            "kind": "Status", "apiVersion": "v1", "metadata": metadata or {}, "status": "Failure", "message": message,
            "reason": reason or _REASONS[code]}
        if details is not None:
            self.status["details"] = details
        self.status["code"] = code


def _details(kind: Kind, name: str | None = None, **more) -> dict:
    named = {"name": name} if name else {}
    group = {"group": kind.group} if kind.group else {}
    return {**named, **group, "kind": kind.plural, **more}


def not_found(kind: Kind, name: str) -> Refusal:
    return Refusal(404, f'{kind.qualified} "{name}" not found', details=_details(kind, name))


def no_such_resource() -> Refusal:
    return Refusal(404, "the server could not find the requested resource", details={})


def already_exists(kind: Kind, name: str) -> Refusal:
    return Refusal(409, f'{kind.qualified} "{name}" already exists', "AlreadyExists", _details(kind, name))


def conflict(kind: Kind, name: str, why: str | None = None) -> Refusal:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    return Refusal(
        409, f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}', details=_details(kind, name))


def invalid(kind: Kind, name: str, *causes: tuple[str, str, str]) -> Refusal:
    """Each cause is a reason as `FieldValueRequired`, a field and what is wrong with it."""
    texts = [f"{field}: {message}" for _, field, message in causes]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = {**_details(kind, name), "kind": kind.name, "causes": [
        {"reason": reason, "message": message, "field": field} for reason, field, message in causes]}
    return Refusal(422, f'{kind.qualified_name} "{name}" is invalid: {text}', details=details)


def bad_request(message: str) -> Refusal:
    return Refusal(400, message)


def too_old(asked: int, oldest: int) -> Refusal:
    return Refusal(410, f"too old resource version: {asked} ({oldest})")


def too_old_to_continue(token: str) -> Refusal:
    """With a token that goes on with what is there now."""
    return Refusal(
        410, "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        metadata={"continue": token})


def too_large(asked: int, current: int) -> Refusal:
    return Refusal(504, f"Timeout: Too large resource version: {asked}, current: {current}", details={
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1})


def unauthorized() -> Refusal:
    return Refusal(401, "Unauthorized")


def forbidden(user: str, verb: str, kind: Kind, subresource: str, namespace: str | None, name: str | None) -> Refusal:
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    what = kind.plural + (f"/{subresource}" if subresource else "")
    subject = f'{kind.qualified} "{name}"' if name else kind.qualified
    return Refusal(
        403, f'{subject} is forbidden: User "{user}" cannot {verb} resource "{what}" in API group "{kind.group}" '
        f"{where}", details=_details(kind, name))
