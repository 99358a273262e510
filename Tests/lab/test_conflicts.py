"""Others on the LAN that have an address, or say so: seen before it is taken, and answered while it is held."""

import time

from capture import Capture
from example import wait_until_announced
from frames import REPLY, REQUEST, ARP, Advertisement
from interfaces import holders, mac
from lan import URL, URL6, VIP, VIP6
from processes import wait_for
from standing import conflicts, drops, status

BOTH = [("hostname-svc-lb", VIP), ("six", VIP6)]


def test_an_address_that_another_host_has_is_not_taken_until_that_host_is_gone(lan):
    rival = lan.host("rival")
    rival.ip("address", "add", f"{VIP}/24", "dev", "eth0")
    rival.ip("address", "add", f"{VIP6}/64", "dev", "eth0", "nodad")
    capture = Capture(lan.lb)
    process = lan.roadstead(announced_on=None)
    in_use = f"address already in use by {mac(rival)}"
    for service, address in BOTH:
        lan.wait_until_said(process, address, in_use)
        assert in_use in lan.explain(service)
        assert holders(lan.lb, address) == []
    assert in_use in status(lan.lb)
    for _, address in BOTH:
        assert conflicts(lan.lb, address) > 0
    gone = time.time()
    rival.ip("address", "delete", f"{VIP}/24", "dev", "eth0")
    rival.ip("address", "delete", f"{VIP6}/64", "dev", "eth0")
    for _, address in BOTH:
        wait_until_announced(process, address, within=gone + 7 - time.time())
        first = capture.wait_for("a claim", lambda: capture.gratuitous(mac(lan.lb), address))[0]
        assert first.time > gone
    assert in_use not in status(lan.lb)
    assert lan.curl(URL).startswith("pod-") and lan.curl(URL6) == "pod-6"


def test_forged_claims_are_answered_once_and_take_nothing_away(lan):
    lb, forger = mac(lan.lb), mac(lan.client)
    capture = Capture(lan.lb)
    lan.both()
    # Then nothing of its own comes for a minute.
    capture.wait_for("the first announcements", lambda: len(capture.gratuitous(lb, VIP)) >= 10
                     and len(capture.gratuitous(lb, VIP6)) >= 5, within=8)
    forged = {
        VIP: [ARP.gratuitous(forger, VIP, REQUEST), ARP.gratuitous(forger, VIP, REPLY)],
        VIP6: [Advertisement.gratuitous(forger, VIP6)] * 2}
    for address, frames in forged.items():
        sent = lan.send("client", frames[0])[0]
        defences = capture.wait_for("a defence", lambda: capture.gratuitous(lb, address, after=sent))
        assert defences[0].time - sent < 0.2
        seen = conflicts(lan.lb, address)
        lan.send("client", frames[1])
        wait_for("the second is counted", lambda: conflicts(lan.lb, address) > seen > 0)
        # A request and a reply may make up the one defence.
        times = [frame.time for frame in capture.gratuitous(lb, address, after=sent)]
        assert times[-1] - times[0] < 0.05
        assert holders(lan.lb, address) == ["eth0"]
    assert lan.curl(URL).startswith("pod-") and lan.curl(URL6) == "pod-6"


def test_frames_that_make_no_sense_are_counted_by_reason(lan):
    client = mac(lan.client)
    lan.both()
    claim = ARP.gratuitous(client, VIP, REPLY)
    frames = {
        "too-short": claim.bytes()[:30],
        "hardware-type": claim.bytes(hardware=6),
        "sender-mismatch": ARP(client, claim.destination, REPLY, "02:00:00:00:00:01", VIP, VIP)}
    for reason, frame in frames.items():
        before = drops(lan.lb, reason)
        lan.send("client", frame)
        wait_for(f"{reason} is counted", lambda: drops(lan.lb, reason) > before)
    assert conflicts(lan.lb, VIP) == 0
    assert holders(lan.lb, VIP) == ["eth0"]
