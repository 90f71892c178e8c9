"""Where a client goes, by who it is."""

from itertools import product
from typing import Any

import pytest

from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.plan import Plan
from mailaccess.tunnel.tlsside import TLSPeer

OWN: Any = "own"
REDIRECT: Any = "redirect"
ROUTED: Any = "routed"


def plan(*, redirect: bool, routed: bool) -> Plan:
    return Plan(
        "pop3s",
        Doors(1, 1),
        OWN,
        route=lambda name: ROUTED if routed and name == "a.example" else None,
        redirect=REDIRECT if redirect else None,
    )


def expected(peer: TLSPeer | None, *, redirect: bool, routed: bool) -> Any:
    if peer is None:
        return OWN
    if redirect and not peer.trusted:
        return REDIRECT
    return ROUTED if routed and peer.server_name == "a.example" else OWN


PEERS = [None, *(TLSPeer(trusted, name) for trusted, name in product((False, True), ("", "a.example", "b.example")))]


@pytest.mark.parametrize(("peer", "redirect", "routed"), [*product(PEERS, (False, True), (False, True))])
def test_every_client_has_one_destination(peer: TLSPeer | None, redirect: bool, routed: bool) -> None:
    chosen = plan(redirect=redirect, routed=routed).destination_of(peer)
    assert chosen == expected(peer, redirect=redirect, routed=routed)


def test_nobody_is_believed_who_is_not_named() -> None:
    assert not plan(redirect=False, routed=False).proxy_from
