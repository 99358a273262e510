"""The level "lab": real hosts, real routes, in network namespaces. Needs root, and says so where it is not."""

import pytest

import namespaces
from example import Example
from lan import Lan


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


@pytest.fixture
def lan():
    """The example with a second host for Roadstead, one that gets in the way, and IPv6."""
    with Lan() as lan:
        yield lan
