"""Where an address cannot be announced, or is not to be, Roadstead says why, and all else goes on."""

from capture import Capture
from example import BINARY, wait_until_announced
from interfaces import FOREVER, addresses, mac
from lan import VIP, VIP6
from processes import wait_for
from standing import status

# Root without the right to change addresses.
UNABLE = ("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin")


def test_an_address_that_the_administrator_has_put_on_the_host_is_left_alone(lan):
    lan.lb.ip("address", "add", f"{VIP}/32", "dev", "lo")
    lan.lb.ip("address", "add", f"{VIP6}/128", "dev", "eth0", "nodad")
    capture = Capture(lan.lb)
    process = lan.roadstead(announced_on=None)
    for service, address, interface in (("hostname-svc-lb", VIP, "lo"), ("six", VIP6, "eth0")):
        why = f"already on interface {interface}, not put there by Roadstead"
        lan.wait_until_said(process, address, why)
        assert why in lan.explain(service) and why in status(lan.lb)
    lan.lb.ip("address", "delete", f"{VIP6}/128", "dev", "eth0")
    wait_until_announced(process, VIP6, within=7)
    assert process.stop() == 0
    left = {(one.address, one.interface, one.valid) for one in addresses(lan.lb) if one.address in (VIP, VIP6)}
    assert left == {(VIP, "lo", FOREVER)}
    assert capture.gratuitous(mac(lan.lb), VIP) == []


def test_without_the_capability_all_but_announcing_goes_on(lan):
    process = lan.roadstead(announced_on=None, prefix=UNABLE)
    process.wait_for_line("announcing needs CAP_NET_ADMIN and CAP_NET_RAW: run as root, or give them to the binary")
    for port in (f"{VIP}:8080", f"[{VIP6}]:8080"):
        wait_for(f"{port} listens", lambda: port in lan.lb.run("ss", "-Htln"))
    assert "CAP_NET_ADMIN" in lan.explain("hostname-svc-lb")
    assert process.stop() == 0
    assert len([line for line in process.lines if "CAP_NET_ADMIN" in line]) == 1


def test_without_the_capability_announcing_that_was_asked_for_is_refused(lan):
    process = lan.lb.start(*UNABLE, BINARY, "run", "-f", str(lan.manifests), "--announce", "layer2")
    assert process.wait() == 3
    assert any("CAP_NET_ADMIN" in line for line in process.lines)
