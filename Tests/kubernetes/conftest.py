"""The level "kubernetes": Roadstead at an API server. Its own one, or a real one with ROADSTEAD_TEST_KUBECONFIG."""

import pytest
import backends
from certificates import Authority
from cluster import REAL, Cluster
from roadstead import Roadstead

NEEDS_FAULTS = "needs faults that a real API server is not asked for"


def pytest_configure(config):
    config.addinivalue_line("markers", "faults: makes the API server fail, which only the tests' own one does")


def pytest_collection_modifyitems(items):
    if REAL:
        for item in items:
            if "faults" in item.keywords:
                item.add_marker(pytest.mark.skip(reason=NEEDS_FAULTS))


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def cluster(tmp_path, authority):
    """A cluster with nothing in it; `cluster.server` has the faults, where the test is marked so."""
    with Cluster(tmp_path, None if REAL else authority) as cluster:
        yield cluster


@pytest.fixture
def run(cluster):
    """Starts Roadstead at the cluster: `run("--load-balancer-class", "x", lease="ns/name")`; it ends with the test."""
    started: list[Roadstead] = []

    def run(*options, wait: bool = True, **more) -> Roadstead:
        started.append(Roadstead(cluster, *options, **more))
        return started[-1].wait_until_synced() if wait else started[-1]
    yield run
    for one in reversed(started):
        one.close()


@pytest.fixture
def pods(cluster):
    """Three backends: pod-1, pod-2, pod-3."""
    started = backends.start(cluster, "pod-1", "pod-2", "pod-3")
    yield started
    for one in started:
        one.close()
