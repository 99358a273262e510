"""Kubeconfig files, as people have them."""

import base64
import json
from pathlib import Path

from client import Access


def write(path: Path, access: Access, token_file: Path | None = None, as_data: bool = False, **cluster) -> Path:
    """A kubeconfig with one context; with `as_data` certificates are inside. It is JSON, which is YAML, too.

    `cluster` are more fields of the cluster, with underscores for dashes.
    """
    def file(name: str, of: Path | None) -> dict:
        if of is None:
            return {}
        return {f"{name}-data": base64.b64encode(of.read_bytes()).decode()} if as_data else {name: str(of)}
    user = {**file("client-certificate", access.certificate), **file("client-key", access.key)}
    if token_file:
        user["tokenFile"] = str(token_file)
    elif access.token:
        user["token"] = access.token
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "tests",
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "roadstead"}}],
        "clusters": [{"name": "tests", "cluster": {
            "server": access.url, **file("certificate-authority", access.authority),
            **{name.replace("_", "-"): value for name, value in cluster.items()}}}],
        "users": [{"name": "roadstead", "user": user}]}, indent=1))
    path.chmod(0o600)
    return path
