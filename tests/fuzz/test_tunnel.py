"""Connections through a tunnel as chance has them: nothing is lost, nothing is left. A failure names its seed."""

from collections import Counter

from tests.fuzz.tunnel_stories import tell_all

SEEDS = range(300)


def test_some_hundred_connections() -> None:
    ends = Counter(story.line[0] for story in tell_all(SEEDS))
    assert ends["tunnel_closed"] > len(SEEDS) / 2
    assert {"tunnel_lost", "tunnel_unreachable", "tunnel_tls_failed", "tunnel_refused"} <= set(ends)
