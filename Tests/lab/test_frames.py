"""What the lab reads out of frames, and the frames that it forges, against those that Linux itself sends."""

import pytest
from frames import BROADCAST, REPLY, REQUEST, ARP, Advertisement, Solicitation, decode

pytestmark = pytest.mark.without_root

LB, CLIENT = "56:0f:54:78:54:2a", "ba:63:3f:b6:d0:d9"
# `arping 10.101.0.50`, and the answer to it.
ARP_REQUEST = bytes.fromhex(
    "ffffffffffff ba633fb6d0d9 0806 0001 0800 06 04 0001"
    "ba633fb6d0d9 0a65000a ffffffffffff 0a650032")
ARP_REPLY = bytes.fromhex(
    "ba633fb6d0d9 560f5478542a 0806 0001 0800 06 04 0002"
    "560f5478542a 0a650032 ba633fb6d0d9 0a65000a")
# The kernel looks for others that have a link-local address, with a nonce; and it answers a neighbour.
DAD = bytes.fromhex(
    "3333ff78542a 560f5478542a 86dd 60000000 0020 3a ff 00000000000000000000000000000000"
    "ff0200000000000000000001ff78542a 8700613b00000000 fe80000000000000540f54fffe78542a 0e0100e2a31e188e")
ANSWER = bytes.fromhex(
    "ba633fb6d0d9 560f5478542a 86dd 60000000 0020 3a ff fd000101000000000000000000000050"
    "fd000101000000000000000000000010 88001c3c60000000 fd000101000000000000000000000050 0201560f5478542a")


def test_arp_is_read():
    assert decode(ARP_REQUEST) == ARP(CLIENT, BROADCAST, REQUEST, CLIENT, "10.101.0.10", "10.101.0.50")
    assert decode(ARP_REPLY) == ARP(LB, CLIENT, REPLY, LB, "10.101.0.50", "10.101.0.10")
    assert decode(ARP_REPLY).target_mac == CLIENT


def test_neighbour_discovery_is_read():
    assert decode(DAD) == Solicitation.probe(LB, "fe80::540f:54ff:fe78:542a")
    answer = decode(ANSWER)
    assert answer == Advertisement(LB, CLIENT, "fd00:101::10", "fd00:101::50", LB, is_solicited=True, overrides=True)
    assert answer.sender == "fd00:101::50" and not answer.is_gratuitous


def test_only_what_is_told_to_everybody_is_gratuitous():
    claim = ARP.gratuitous(LB, "10.101.0.50", REPLY)
    assert claim.is_gratuitous and decode(claim.bytes()) == claim
    assert not decode(ARP_REPLY).is_gratuitous and not ARP.probe(LB, "10.101.0.50").is_gratuitous
    claim = Advertisement.gratuitous(LB, "fd00:101::50")
    assert claim.is_gratuitous and decode(claim.bytes()) == claim


def test_what_is_written_is_what_linux_writes():
    assert decode(ARP_REQUEST).bytes() == ARP_REQUEST
    assert decode(ARP_REPLY).bytes() == ARP_REPLY
    assert decode(ANSWER).bytes() == ANSWER


def test_what_is_cut_short_or_wrong_is_nothing():
    for frame in (ARP_REPLY, DAD, ANSWER):
        assert all(decode(frame[:length]) is None for length in range(len(frame) - 8))
    assert decode(ANSWER[:-1] + b"\0") is None
