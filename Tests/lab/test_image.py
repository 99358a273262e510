"""The image: its root tree runs alone, with no more rights than the Deployment gives; its tar file is as it should be.

Made from the binary under test, so that nothing is built for it.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from example import BINARY, CHECKOUT, Example, wait_until_announced
from namespaces import Lab
from processes import run
from topology import Host, Topology

sys.path.append(str(CHECKOUT / "image"))
import oci_layout
import root_tree

IN_IMAGE = str(Path(__file__).parent / "in_image.py")
CURL = ["curl", "--silent", "--fail", "--noproxy", "*", "--max-time", "5"]


def container() -> dict:
    """The container of examples/in-cluster's Deployment."""
    documents = yaml.safe_load_all((CHECKOUT / "examples/in-cluster/base/deployment.yaml").read_text())
    deployment = next(document for document in documents if document["kind"] == "Deployment")
    return deployment["spec"]["template"]["spec"]["containers"][0]


def in_image(tree: Path, *program: str, user: int = 65532, capabilities: list[str] | None = None) -> list[str]:
    return [sys.executable, IN_IMAGE, str(tree), str(user), *(capabilities or []), "--", *program]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = tmp_path_factory.mktemp("image") / "tree"
    root_tree.build(Path(BINARY), tree)
    yield tree
    # 100 MB; what a lab mounted there has gone with it.
    shutil.rmtree(tree)


@pytest.mark.without_root
def test_it_weighs_less_than_120_mb(tree):
    assert root_tree.size(tree) < 120_000_000


@pytest.mark.without_root
def test_it_has_the_binary_what_that_loads_certificates_and_names(tree):
    names = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    libraries = {name.lstrip("/") for name in root_tree.libraries(Path(BINARY))}
    assert names - libraries == {"roadstead", "etc/passwd", "etc/group", "etc/nsswitch.conf",
                                 "etc/ssl/certs/ca-certificates.crt"}
    assert libraries <= names
    assert (tree / "etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN CERTIFICATE") > 50


def test_the_loader_finds_all_libraries_in_it(tree):
    loader = next(name for name in root_tree.libraries(Path(BINARY)) if "/ld-linux" in name)
    text = run(["chroot", str(tree), loader, "--list", "/roadstead"])
    assert "not found" not in text
    assert text.count(" => ") >= 5


def test_it_relays_as_a_user_without_rights(tree):
    with Lab(Topology(Host("pod"))) as lab:
        pod = lab.host("pod")
        assert pod.run(*in_image(tree, "/roadstead", "--version")) == run([BINARY, "--version"])
        pod.start(*in_image(tree, "/roadstead", "backend", "127.0.0.1:18080", "--name", "app")).wait_for_line(
            "listening")
        relay = pod.start(*in_image(
            tree, "/roadstead", "run", "--listen", "tcp://127.0.0.1:8080", "--to", "127.0.0.1:18080"))
        relay.wait_for_line("→")
        assert pod.run(*CURL, "http://127.0.0.1:8080/") == "app\n"
        assert pod.run(*CURL, "http://127.0.0.1:9900/readyz")
        assert "127.0.0.1:8080" in pod.run(*in_image(tree, "/roadstead", "status"))
        assert relay.stop() == 0


def test_it_announces_with_the_rights_of_the_deployment(tree):
    rights = container()["securityContext"]
    assert rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"]["drop"] == ["ALL"]
    with Example() as example:
        manifests = tree / "tmp" / example.lab.name
        shutil.copytree(example.manifests, manifests)
        try:
            command = in_image(
                tree, "/roadstead", "run", "-f", f"/tmp/{example.lab.name}", "--announce", "layer2",
                user=rights["runAsUser"], capabilities=rights["capabilities"]["add"])
            process = example.host("lb").start(*command)
            wait_until_announced(process, "10.101.0.50")
            assert set(example.ask("http://10.101.0.50:8080/", 30)) == {"pod-1", "pod-2", "pod-3"}
            assert process.stop() == 0
        finally:
            shutil.rmtree(manifests)


@pytest.mark.without_root
def test_the_same_tree_is_the_same_image(tmp_path):
    images = []
    for number, date in [(1, 1), (2, 1_000_000_000)]:
        tree = tmp_path / f"tree-{number}"
        for name in ["b/2", "a", "b/1"][:: 1 if number == 1 else -1]:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(name)
            os.utime(tree / name, (date, date))
        image = tmp_path / f"image-{number}.tar"
        oci_layout.write(tree, image, "roadstead", "1.2.3", "x86_64")
        images.append(image.read_bytes())
    assert images[0] == images[1]


@pytest.mark.without_root
def test_the_image_is_an_oci_layout(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/roadstead").write_text("binary")
    (tmp_path / "tree/roadstead").chmod(0o755)
    oci_layout.write(tmp_path / "tree", tmp_path / "image.tar", "roadstead", "1.2.3", "aarch64")
    with tarfile.open(tmp_path / "image.tar") as archive:
        files = {entry.name: archive.extractfile(entry).read() for entry in archive}

    def blob(descriptor: dict) -> bytes:
        content = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
        assert len(content) == descriptor["size"]
        assert "sha256:" + hashlib.sha256(content).hexdigest() == descriptor["digest"]
        return content

    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    [entry] = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "docker.io/library/roadstead:1.2.3"
    manifest = json.loads(blob(entry))
    config = json.loads(blob(manifest["config"]))
    assert (config["os"], config["architecture"]) == ("linux", "arm64")
    [layer] = manifest["layers"]
    contents = gzip.decompress(blob(layer))
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(contents).hexdigest()]
    (tmp_path / "layer.tar").write_bytes(contents)
    with tarfile.open(tmp_path / "layer.tar") as archive:
        [file] = archive.getmembers()
        assert (file.name, file.mode, file.uid, file.gid, file.mtime) == ("roadstead", 0o755, 0, 0, 0)
    [entry] = json.loads(files["manifest.json"])
    assert entry["RepoTags"] == ["roadstead:1.2.3"] and {entry["Config"], *entry["Layers"]} <= set(files)


@pytest.mark.without_root
def test_the_dockerfile_makes_the_same_image():
    text = (CHECKOUT / "image/Dockerfile").read_text()
    assert f"\nUSER {oci_layout.USER}\n" in text
    assert f"\nENTRYPOINT {json.dumps(oci_layout.ENTRYPOINT)}\n" in text
    makefile = (CHECKOUT / "Makefile").read_text()
    for name in ["BUILD_PACKAGES", "IMAGE_PACKAGES"]:
        packages = re.search(rf"^{name} := (.*)$", makefile, re.MULTILINE).group(1).split()
        assert set(packages) - {"make", "curl", "libc-bin"} <= set(text.split())


@pytest.mark.without_root
def test_what_is_no_root_tree_is_left_alone(tmp_path):
    (tmp_path / "letters").write_text("mine")
    done = subprocess.run(
        [str(CHECKOUT / "image/build.py"), BINARY, "--tree", str(tmp_path)], text=True, stderr=subprocess.PIPE)
    assert done.returncode == 1 and "left alone" in done.stderr
    assert (tmp_path / "letters").read_text() == "mine"
