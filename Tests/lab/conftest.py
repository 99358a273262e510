"""The level "lab": real hosts, real routes, in network namespaces. Needs root, and says so where it is not."""

import pytest

import namespaces
from example import Example


def pytest_collection_modifyitems(items):
    if reason := namespaces.missing():
        for item in items:
            if "without_root" not in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"the lab is not run: {reason}"))


def pytest_configure(config):
    config.addinivalue_line("markers", "without_root: needs no namespaces")


@pytest.fixture
def example():
    """The example's hosts with backends on all pods and node ports; the test starts Roadstead."""
    with Example() as example:
        yield example
