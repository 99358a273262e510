"""examples/in-cluster: what can be said of its manifests without a cluster."""

import re
from pathlib import Path

import pytest
import yaml
from example import BINARY, CHECKOUT
from processes import run

pytestmark = pytest.mark.without_root

EXAMPLE = CHECKOUT / "examples/in-cluster"
READ = {"get", "list", "watch"}
# All that the client asks of the API server: (group, resource) → verbs.
NEEDED = {
    ("", "services"): READ | {"patch"},
    ("", "services/status"): {"patch"},
    ("", "nodes"): READ,
    ("", "namespaces"): READ,
    ("", "events"): {"create", "patch"},
    ("discovery.k8s.io", "endpointslices"): READ,
    ("metallb.io", "ipaddresspools"): READ,
    ("metallb.io", "l2advertisements"): READ,
}


def documents(path: Path) -> list[dict]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def the(kind: str, path: str) -> dict:
    [found] = [document for document in documents(EXAMPLE / path) if document["kind"] == kind]
    return found


def rights(role: dict) -> dict[tuple[str, str], set[str]]:
    granted: dict[tuple[str, str], set[str]] = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault((group, resource), set()).update(rule["verbs"])
    return granted


def pod_spec() -> dict:
    return the("Deployment", "base/deployment.yaml")["spec"]["template"]["spec"]


def known_flags() -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", run([BINARY, "help", "run"])))


def test_all_manifests_are_yaml_that_names_what_it_is():
    files = sorted(EXAMPLE.rglob("*.yaml"))
    assert len(files) > 8
    for file in files:
        for document in documents(file):
            assert {"apiVersion", "kind"} <= set(document), file


def test_kustomizations_name_each_manifest_beside_them():
    for file in EXAMPLE.rglob("kustomization.yaml"):
        [kustomization] = documents(file)
        for resource in kustomization["resources"]:
            target = (file.parent / resource).resolve()
            assert target.is_file() or (target / "kustomization.yaml").is_file(), f"{file}: {resource}"
    for folder in ["base", "crds"]:
        [kustomization] = documents(EXAMPLE / folder / "kustomization.yaml")
        beside = {path.name for path in (EXAMPLE / folder).glob("*.yaml")} - {"kustomization.yaml"}
        assert set(kustomization["resources"]) == beside


def test_the_rights_are_those_that_are_needed_and_no_others():
    assert rights(the("ClusterRole", "base/rbac.yaml")) == NEEDED
    role = the("Role", "base/rbac.yaml")
    assert role["metadata"]["namespace"] == "roadstead-system"
    assert rights(role) == {("coordination.k8s.io", "leases"): READ | {"create", "patch"}}


def test_what_changes_a_lease_is_bound_to_the_lease_of_the_arguments():
    arguments = pod_spec()["containers"][0]["args"]
    name = arguments[arguments.index("--lease") + 1].removeprefix("$(POD_NAMESPACE)/")
    for rule in the("Role", "base/rbac.yaml")["rules"]:
        # A list or watch that is bound to a name needs a field selector; create has no name.
        assert rule.get("resourceNames") == (None if set(rule["verbs"]) & {"create", "list", "watch"} else [name])


def test_bindings_lead_from_the_service_account_of_the_pods_to_the_roles():
    account = {"kind": "ServiceAccount", "name": pod_spec()["serviceAccountName"], "namespace": "roadstead-system"}
    for role, binding in [("ClusterRole", "ClusterRoleBinding"), ("Role", "RoleBinding")]:
        bound = the(binding, "base/rbac.yaml")
        assert bound["subjects"] == [account]
        assert bound["roleRef"]["name"] == the(role, "base/rbac.yaml")["metadata"]["name"]
        assert bound["roleRef"]["kind"] == role


def test_pods_are_read_in_the_overlay_only():
    [kustomization] = documents(EXAMPLE / "overlays/endpoints-pods/kustomization.yaml")
    role, deployment = [yaml.safe_load(patch["patch"]) for patch in kustomization["patches"]]
    assert rights({"rules": [operation["value"] for operation in role]}) == {("", "pods"): READ}
    assert [operation["value"] for operation in deployment] == ["--endpoints", "pods"]


@pytest.mark.parametrize("file", ["base/deployment.yaml", "sidecar.yaml", "overlays/endpoints-pods/kustomization.yaml"])
def test_arguments_are_flags_of_run(file):
    flags = set(re.findall(r"^ +(?:value:|-) (--[a-z-]+)$", (EXAMPLE / file).read_text(), re.MULTILINE))
    assert flags
    assert flags <= known_flags()


def test_arguments_use_variables_that_are_set():
    [container] = pod_spec()["containers"]
    variables = {variable["name"] for variable in container["env"]}
    assert set(re.findall(r"\$\((\w+)\)", " ".join(container["args"]))) <= variables
    # Read by the process itself, for its identity.
    assert "POD_NAME" in variables


def test_the_image_is_of_this_version():
    version = run([BINARY, "--version"]).strip()
    images = re.findall(r"image: (\S+)", "".join(path.read_text() for path in EXAMPLE.rglob("*.yaml")))
    assert set(images) == {f"roadstead:{version}"}


def test_two_instances_replace_each_other_one_at_a_time_on_two_nodes():
    deployment = the("Deployment", "base/deployment.yaml")["spec"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    [term] = pod_spec()["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"] == deployment["selector"]
    assert pod_spec()["hostNetwork"] and pod_spec()["dnsPolicy"] == "ClusterFirstWithHostNet"


def test_the_drain_ends_before_the_pod_does():
    drain = int(re.search(r"--drain <\w+>.*?default: (\d+)s", run([BINARY, "help", "run"]), re.DOTALL).group(1))
    assert pod_spec()["terminationGracePeriodSeconds"] > drain


def test_probes_ask_the_admin_port_on_loopback():
    [container] = pod_spec()["containers"]
    for probe, path in [("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")]:
        assert container[probe]["httpGet"] == {"host": "127.0.0.1", "port": 9900, "path": path}


def test_the_sample_is_the_service_of_the_readme():
    readme = (CHECKOUT / "README.md").read_text()
    assert f"```yaml\n{(EXAMPLE / 'sample/service.yaml').read_text()}```" in readme


@pytest.mark.parametrize("file, model", [
    ("ipaddresspools", "IPAddressPool"), ("l2advertisements", "L2Advertisement")])
def test_the_definitions_have_the_fields_that_are_read(file, model):
    definition = the("CustomResourceDefinition", f"crds/{file}.yaml")
    assert definition["metadata"]["name"] == f"{file}.metallb.io"
    [version] = definition["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    source = (CHECKOUT / f"Sources/Kubernetes/Model/{model}.swift").read_text()
    names = [set(text.split()) for text in re.findall(r"FieldNames\(\s*\"([^\"]*)\"\)", source)]
    assert set(spec["properties"]) == names[0]
    if model == "IPAddressPool":
        assert set(spec["properties"]["serviceAllocation"]["properties"]) == names[1]
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"].removeprefix(".spec.")
        assert path in spec["properties"] or path == ".metadata.creationTimestamp"


def test_the_definitions_have_one_schema_of_selectors():
    def selectors(node):
        if isinstance(node, dict) and "matchLabels" in node.get("properties", {}):
            yield node
        elif isinstance(node, (dict, list)):
            for value in node.values() if isinstance(node, dict) else node:
                yield from selectors(value)

    found = [selector for path in ["ipaddresspools", "l2advertisements"]
             for selector in selectors(the("CustomResourceDefinition", f"crds/{path}.yaml"))]
    assert len(found) == 6 and all(selector == found[0] for selector in found)
