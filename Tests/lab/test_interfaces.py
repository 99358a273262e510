"""Interfaces: asked for by name, two on one LAN, such as come, go down and come up again, bridges and macvlans."""

import pytest
from capture import Capture
from example import wait_until_announced
from interfaces import holders, mac
from lan import URL, URL6, VIP, VIP6
from neighbours import answering, arping
from processes import wait_for
from standing import conflicts, status


def test_an_interface_that_is_asked_for_may_come_later(lan):
    advertisement = lan.manifests / "advertisement.yaml"
    advertisement.write_text(advertisement.read_text() + "  interfaces: [eth9]\n")
    process = lan.roadstead(announced_on=None)
    missing = "interface eth9 does not exist"
    lan.wait_until_said(process, VIP, missing)
    assert missing in lan.explain("hostname-svc-lb") and missing in status(lan.lb)
    assert holders(lan.lb, VIP) == []
    lan.plug("lb", "eth9", "front")
    wait_until_announced(process, VIP, "eth9", within=3)
    assert holders(lan.lb, VIP) == ["eth9"]
    assert lan.curl(URL) == "pod-1"
    lan.lb.ip("link", "delete", "eth9")
    wait_for("it is missed again", lambda: missing in lan.explain("hostname-svc-lb"))


def test_an_interface_that_was_down_is_announced_on_again(lan):
    # So that the host itself is in the IPv6 network again afterwards.
    lan.lb.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth0/keep_addr_on_down")
    process = lan.both()
    lan.lb.ip("link", "set", "eth0", "down")
    process.wait_for_line("interface eth0 is down")
    for service in ("hostname-svc-lb", "six"):
        wait_for("explain says so", lambda: "interface eth0 is down" in lan.explain(service))
    seen, capture = len(process.lines), Capture(lan.lb)
    lan.lb.ip("link", "set", "eth0", "up")
    for address, url in ((VIP, URL), (VIP6, URL6)):
        process.wait_for_line(f"{address} is announced on eth0", after=seen, within=5)
        capture.wait_for("it is told again", lambda: capture.gratuitous(mac(lan.lb), address))
        assert holders(lan.lb, address) == ["eth0"]
        assert lan.curl(url).startswith("pod-")


def test_two_interfaces_on_one_lan_are_one_host(lan):
    lan.plug("lb", "eth9", "front", "10.101.0.4/24", "fd00:101::4/64")
    process = lan.roadstead(announced_on=None)
    for address in (VIP, VIP6):
        process.wait_for_line(f"{address} is announced on eth")
        (holder,) = holders(lan.lb, address)
        assert answering(lan.client, address) == mac(lan.lb, holder)
    (first,) = holders(lan.lb, VIP)
    answers = arping(lan.client, VIP, times=3)
    assert len(answers) == 3 and set(answers) == {mac(lan.lb, first)}
    assert lan.curl(URL).startswith("pod-") and lan.curl(URL6) == "pod-6"
    lan.lb.ip("link", "set", first, "down")
    (second,) = {"eth0", "eth9"} - {first}
    for address, url in ((VIP, URL), (VIP6, URL6)):
        wait_for(f"{address} is on {second}", lambda: holders(lan.lb, address) == [second], within=2)
        wait_until_announced(process, address, second, within=2)
        assert answering(lan.client, address) == mac(lan.lb, second)
        assert lan.curl("--max-time", "2", url).startswith("pod-")
        # Its own frames, heard on its other interface, are no one else's.
        assert conflicts(lan.lb, address) == 0


@pytest.mark.parametrize("name, link", [
    ("br0", ["type", "bridge", "forward_delay", "0"]), ("mac0", ["link", "eth0", "type", "macvlan", "mode", "bridge"])],
    ids=["bridge", "macvlan"])
def test_an_address_goes_where_the_hosts_own_address_is(lan, name, link):
    lan.lb.ip("link", "add", "name", name, *link)
    if name == "br0":
        lan.lb.ip("link", "set", "dev", "eth0", "master", name)
    for address in ("10.101.0.2/24", "fd00:101::2/64"):
        lan.lb.ip("address", "delete", address, "dev", "eth0")
        lan.lb.ip("address", "add", address, "dev", name, *["nodad"] * (":" in address))
    lan.lb.ip("link", "set", "dev", name, "up")
    lan.both(interface=name)
    for address, url in ((VIP, URL), (VIP6, URL6)):
        assert holders(lan.lb, address) == [name]
        # A bridge that has just come up may miss the first question, which is asked by multicast.
        wait_for("its MAC answers", lambda: answering(lan.client, address) == mac(lan.lb, name))
        assert lan.curl(url).startswith("pod-")
        assert conflicts(lan.lb, address) == 0
