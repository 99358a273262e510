"""An address that nobody wants any more leaves the host, at once or when its last connection has ended."""

import signal

from interfaces import holders
from lan import URL, URL6, VIP, VIP6
from neighbours import answering
from processes import wait_for

# Seconds, of which the address stays one for the last bytes of its last connection.
SOON = 2


def test_a_service_that_is_deleted_takes_its_address_along(lan):
    lan.both()
    (lan.manifests / "service.yaml").unlink()
    (lan.manifests / "six.yaml").unlink()
    for address in (VIP, VIP6):
        wait_for(f"{address} is gone", lambda: holders(lan.lb, address) == [], within=SOON)
        assert answering(lan.client, address) is None


def test_a_deleted_services_address_stays_until_its_last_connection_has_ended(lan):
    lan.both()
    connection = lan.connection()
    (lan.manifests / "service.yaml").unlink()
    wait_for("new connections are refused", lambda: lan.is_refused(URL))
    connection.signal(signal.SIGUSR1)
    connection.wait_for_line("pod-")
    assert holders(lan.lb, VIP) == ["eth0"]
    connection.signal(signal.SIGUSR2)
    wait_for("the address is gone", lambda: holders(lan.lb, VIP) == [], within=SOON)
    assert lan.curl(URL6) == "pod-6"
