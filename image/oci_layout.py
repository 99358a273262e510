"""A root tree as an image in a tar file, by the OCI image format 1.0, and for `docker load` as well.

One layer. The same tree gives the same bytes: entries are sorted, belong to user 0 and are dated 1970.
"""

import gzip
import hashlib
import io
import json
import stat
import tarfile
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Neither root nor anybody's: who needs capabilities, as the Deployment does, says so.
USER = "65532:65532"
ENTRYPOINT = ["/roadstead"]


def write(tree: Path, target: Path, name: str, version: str, machine: str) -> None:
    """Writes the image `NAME:VERSION`; `machine` is what `uname -m` says."""
    contents = _layer(tree)
    layer = gzip.compress(contents, compresslevel=6, mtime=0)
    blobs: dict[str, bytes] = {}

    def blob(kind: str, content: bytes) -> dict:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    platform = {"architecture": ARCHITECTURES[machine], "os": "linux"}
    labels = {
        "org.opencontainers.image.title": "roadstead", "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0"}
    config = blob("config.v1+json", _json({
        **platform, "created": "1970-01-01T00:00:00Z",
        "config": {"User": USER, "Entrypoint": ENTRYPOINT, "WorkingDir": "/", "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(contents).hexdigest()}"]}}))
    layers = [blob("layer.v1.tar+gzip", layer)]
    manifest = blob("manifest.v1+json", _json({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
        "layers": layers}))
    reference = f"docker.io/library/{name}:{version}"
    manifest |= {"platform": platform, "annotations": {
        "io.containerd.image.name": reference, "org.opencontainers.image.ref.name": version}}
    files = {f"blobs/sha256/{digest}": content for digest, content in blobs.items()}
    files["index.json"] = _json({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]})
    files["oci-layout"] = _json({"imageLayoutVersion": "1.0.0"})
    # For a docker that does not know the OCI format yet.
    files["manifest.json"] = _json([{
        "Config": _path(config), "RepoTags": [f"{name}:{version}"], "Layers": [_path(layer) for layer in layers]}])
    partial = target.with_name(target.name + ".partial")
    with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(files):
            archive.addfile(_entry(path, len(files[path]), 0o644), io.BytesIO(files[path]))
    partial.rename(target)


def _layer(tree: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(tree.rglob("*")):
            name, mode = str(path.relative_to(tree)), stat.S_IMODE(path.stat().st_mode)
            if path.is_dir():
                entry = _entry(name, 0, mode)
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            elif path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                archive.addfile(_entry(name, len(content), mode), io.BytesIO(content))
            else:
                raise ValueError(f"{path} is neither a file nor a directory")
    return buffer.getvalue()


def _entry(name: str, size: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = mode
    return entry


def _path(descriptor: dict) -> str:
    return "blobs/" + descriptor["digest"].replace(":", "/")


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
