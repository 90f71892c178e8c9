import pytest
from twisted.cred.credentials import IUsernameHashedPassword
from zope.interface.verify import verifyObject

from mailaccess.auth.apop import ApopDigest
from mailaccess.auth.credentials import IFromPeer
from mailaccess.values import Peer

# RFC 1939 §7
TIMESTAMP = "<1896.697170952@dbc.mtview.ca.us>"
DIGEST = "c4c9334bac560ecc979e58001b3e22fb"


def _digest(digest: str, timestamp: str = TIMESTAMP) -> ApopDigest:
    return ApopDigest(b"mrose", timestamp, digest, Peer("192.0.2.1"))


def test_the_example_of_the_rfc() -> None:
    assert _digest(DIGEST).checkPassword(b"tanstaaf")
    assert not _digest(DIGEST).checkPassword(b"tanstaaf2")
    assert not _digest(DIGEST, "<other@host>").checkPassword(b"tanstaaf")


@pytest.mark.parametrize("digest", ["", DIGEST[:-1], DIGEST + "0", DIGEST.upper(), "é" * 32, "\udcff"])
def test_what_is_no_digest_is_wrong(digest: str) -> None:
    assert not _digest(digest).checkPassword(b"tanstaaf")


def test_it_is_what_twisted_knows() -> None:
    verifyObject(IUsernameHashedPassword, _digest(DIGEST))
    verifyObject(IFromPeer, _digest(DIGEST))
