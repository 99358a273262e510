"""An address is asked about, taken and told to the LAN, in this order and at these times; then it is a host's own."""

import pytest
from capture import Capture, claims
from frames import REPLY, REQUEST, ARP, Advertisement, Solicitation
from interfaces import AddressWatch, addresses, mac
from lan import CURL, URL, URL6, VIP, VIP6
from neighbours import answering, arping, known, ndisc6
from processes import wait_for

# Seconds.
PROBES = [0, 0.2, 0.4]
ANNOUNCEMENTS = [0, 1.1, 2.2, 3.3, 4.4]
TOLERANCE = 0.15


def test_probes_announcements_and_renewals_come_at_their_times(lan):
    lb = mac(lan.lb)
    capture, watch = Capture(lan.lb), AddressWatch(lan.lb)
    lan.both()
    for address in (VIP, VIP6):
        has_a_lifetime_and_no_route(lan.lb, address)
    last = len(ANNOUNCEMENTS)
    capture.wait_for("all announcements", lambda: len(capture.gratuitous(lb, VIP)) >= 2 * last
                     and len(capture.gratuitous(lb, VIP6)) >= last, within=8)
    frames = [frame for frame in capture.of(lb, VIP) if is_probe(frame) or claims(frame)]
    pair = [ARP.gratuitous(lb, VIP, REQUEST), ARP.gratuitous(lb, VIP, REPLY)]
    assert frames == [ARP.probe(lb, VIP)] * 3 + pair * last
    assert all(second.time - first.time < 0.05 for first, second in zip(frames[3::2], frames[4::2]))
    at_their_times(frames[:3], frames[3::2], watch, VIP)
    frames = [frame for frame in capture.of(lb, VIP6) if is_probe(frame) or claims(frame)]
    assert frames == [Solicitation.probe(lb, VIP6)] * 3 + [Advertisement.gratuitous(lb, VIP6)] * last
    at_their_times(frames[:3], frames[3:], watch, VIP6)
    for address in (VIP, VIP6):
        is_renewed(watch, address)


def is_probe(frame) -> bool:
    """Whether it asks for an address from nowhere."""
    return frame.sender in ("0.0.0.0", "::")


def at_their_times(probes, announcements, watch, address):
    assert [frame.time - probes[0].time for frame in probes] == pytest.approx(PROBES, abs=TOLERANCE)
    first = announcements[0].time
    # The last probe has its time to be answered; the host answers for the address before it says so.
    assert first - probes[-1].time > 0.15
    taken = watch.events(address)[0]
    assert probes[-1].time < taken.time <= first + TOLERANCE
    assert [frame.time - first for frame in announcements] == pytest.approx(ANNOUNCEMENTS, abs=TOLERANCE)


def has_a_lifetime_and_no_route(host, address):
    (found,) = [one for one in addresses(host) if one.address == address]
    assert found.interface == "eth0" and found.prefix == (128 if ":" in address else 32)
    assert 4 <= found.valid <= 8 and not found.has_prefix_route
    if ":" in address:
        # Never the source of what the host itself sends.
        assert found.preferred == 0


def is_renewed(watch, address):
    """Every two seconds, from the first time on."""
    events = wait_for("two renewals", lambda: len(found := watch.events(address)) >= 3 and found)
    times = [event.time for event in events[:3]]
    assert [later - earlier for earlier, later in zip(times, times[1:])] == pytest.approx([2, 2], abs=0.5)
    assert watch.gone(address) == []


def test_the_address_is_the_hosts_own_and_its_closed_ports_refuse_at_once(lan):
    lb, client = lan.lb, lan.client
    assert known(client, VIP) is None and known(client, VIP6) is None
    lan.both()
    assert lan.curl(URL) == "pod-1"
    assert lan.curl(URL6) == "pod-6"
    assert known(client, VIP) == known(client, VIP6) == mac(lb)
    assert arping(client, VIP) == [mac(lb)]
    assert ndisc6(client, VIP6) == mac(lb)
    for address in (VIP, VIP6):
        assert "1 received" in client.run("ping", "-n", "-c", "1", "-W", "2", address)
    for host in (VIP, f"[{VIP6}]"):
        assert refusal_seconds(client, f"http://{host}:8099/") < 0.5


def refusal_seconds(client, url: str) -> float:
    """How long it takes until a closed port is known to be one."""
    text = client.run(*CURL, "--write-out", "%{exitcode} %{time_total}", url, check=False)
    code, seconds = text.splitlines()[-1].split()
    assert code == "7", text
    return float(seconds)


def test_without_an_advertisement_nothing_is_announced(lan):
    capture = Capture(lan.lb)
    (lan.manifests / "advertisement.yaml").unlink()
    # The other family still is, so by then this one would be.
    process = lan.roadstead(announced_on=None)
    process.wait_for_line(f"{VIP6} is announced on eth0")
    assert answering(lan.client, VIP) is None
    assert "no L2Advertisement selects pool lab" in lan.explain("hostname-svc-lb")
    assert capture.of(mac(lan.lb), VIP) == []
