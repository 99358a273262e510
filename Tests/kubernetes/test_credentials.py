"""How Roadstead is let in, what it does when it is not, and that nobody reads its credentials in the log."""

import json

import kinds
import pytest
from certificates import Authority
from client import Access
from cluster import USER
from objects import service
from test_outages import BACK
from test_services import NAME

pytestmark = pytest.mark.faults


def wait_for_service(cluster, roadstead, within: float = BACK) -> None:
    """Until a new Service is given its address: everything is read and written."""
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    roadstead.wait_for("it has its address", lambda: cluster.addresses(NAME) == [first], within)


def is_secret(roadstead, *secrets: str) -> bool:
    """Whether none of these is in the log or in what `status` says."""
    said = "\n".join(roadstead.process.lines) + roadstead.status() + json.dumps(roadstead.state())
    return not any(secret in said for secret in secrets)


@pytest.mark.parametrize("as_data", [False, True], ids=["files", "data"])
@pytest.mark.parametrize("by", ["token", "certificate"])
def test_a_kubeconfig_lets_it_in_by(cluster, run, authority, as_data, by):
    access = cluster.roadstead
    if by == "certificate":
        made = authority.client(USER)
        access = Access(access.url, access.authority, certificate=made.certificate, key=made.key)
    roadstead = run("--log-level", "trace", kubeconfig=cluster.kubeconfig(access=access, as_data=as_data))
    wait_for_service(cluster, roadstead)
    assert is_secret(roadstead, cluster.token, "PRIVATE KEY")


def test_a_token_that_is_rotated_is_read_again(cluster, run, tmp_path):
    file = tmp_path / "token"
    file.write_text(cluster.token + "\n")
    roadstead = run("--log-level", "trace", kubeconfig=cluster.kubeconfig(token_file=file))
    new = "the-new-token-0123456789"
    cluster.server.users.issue(USER, new)
    (tmp_path / "token.new").write_text(new)
    (tmp_path / "token.new").rename(file)
    cluster.server.users.revoke(cluster.token)
    cluster.server.drop_connections()
    wait_for_service(cluster, roadstead)
    assert is_secret(roadstead, cluster.token, new)


def test_a_token_that_is_not_accepted_is_one_line_and_is_tried_again(cluster, run):
    cluster.server.users.revoke(cluster.token)
    roadstead = run(wait=False)
    roadstead.wait_for("it has tried twice", lambda: len(cluster.server.requests.of("")) > 12, within=10)
    assert len(roadstead.lines_with("401")) == 1, roadstead.process.lines
    cluster.server.users.issue(USER, cluster.token)
    wait_for_service(cluster, roadstead, within=30)
    assert is_secret(roadstead, cluster.token)


def test_a_certificate_that_is_over_is_one_line_and_is_tried_again(cluster, run, authority):
    cluster.server.use(authority.server("127.0.0.1", days=-1))
    roadstead = run(wait=False)
    roadstead.wait_for("it is said", lambda: roadstead.lines_with("certificate", "expired"))
    cluster.server.use(cluster.server.certificate)
    wait_for_service(cluster, roadstead)
    assert len(roadstead.lines_with("expired")) == 1, roadstead.process.lines


def test_a_wrong_authority_is_one_line_and_the_right_one_is_read_when_it_is_there(cluster, run, tmp_path):
    file = tmp_path / "trusted.crt"
    file.write_bytes(Authority(tmp_path / "stranger", "a-stranger").file.read_bytes())
    access = Access(cluster.server.url, file, cluster.token)
    roadstead = run(wait=False, kubeconfig=cluster.kubeconfig(access=access))
    roadstead.wait_for("it is said", lambda: roadstead.lines_with("certificate"))
    assert cluster.server.requests.of(USER) == []
    file.write_bytes(cluster.access.authority.read_bytes())
    wait_for_service(cluster, roadstead)
    assert len(roadstead.lines_with("certificate")) == 1, roadstead.process.lines


def test_a_server_of_another_name_is_not_trusted_unless_that_is_said(cluster, run, authority):
    cluster.server.use(authority.server("api.example.com"))
    roadstead = run(wait=False)
    roadstead.wait_for("it is said", lambda: roadstead.lines_with("certificate"))
    assert cluster.server.requests.of(USER) == []
    roadstead.close()
    named = cluster.kubeconfig("named", tls_server_name="api.example.com")
    wait_for_service(cluster, run(kubeconfig=named))


def test_a_server_that_is_not_checked_is_warned_of(cluster, run, tmp_path):
    file = cluster.kubeconfig()
    read = json.loads(file.read_text())
    del read["clusters"][0]["cluster"]["certificate-authority"]
    read["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    file.write_text(json.dumps(read))
    roadstead = run(kubeconfig=file)
    assert len(roadstead.lines_with("insecure-skip-tls-verify")) == 1


@pytest.mark.parametrize("field, value", [("exec", {"command": "get-token"}), ("auth-provider", {"name": "oidc"})])
def test_what_is_not_supported_in_a_kubeconfig_is_named(cluster, run, field, value):
    file = cluster.kubeconfig()
    read = json.loads(file.read_text())
    read["users"][0]["user"] = {field: value}
    file.write_text(json.dumps(read))
    roadstead = run(wait=False, kubeconfig=file)
    assert roadstead.process.wait() in (1, 2, 3)
    assert roadstead.lines_with(field) and is_short(roadstead)


def test_a_kubeconfig_that_is_not_there_or_is_none_ends_the_process_with_a_line(cluster, run, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("clusters: {")
    for file in (tmp_path / "missing", wrong):
        roadstead = run(wait=False, kubeconfig=file)
        assert roadstead.process.wait() in (1, 2, 3)
        assert roadstead.lines_with(str(file)) and is_short(roadstead)


def is_short(roadstead) -> bool:
    """Whether it said what is wrong in a few lines, and no trap with a backtrace."""
    return len(roadstead.process.lines) <= 8
