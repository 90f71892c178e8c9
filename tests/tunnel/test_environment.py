from mailaccess.tunnel.environment import program_environment
from mailaccess.tunnel.tlsside import TLSPeer
from mailaccess.tunnel.visitor import Visitor

FROM_AFAR = Visitor("2001:db8::1", 4711, "2001:db8::2", 995)
CERTIFICATE = {"DN": "CN=joe", "I_DN": "CN=a CA"}


def test_the_addresses_go_by_the_names_of_inetd_and_of_ucspi() -> None:
    assert program_environment({}, FROM_AFAR) == {
        "REMOTE_HOST": "2001:db8::1",
        "REMOTE_PORT": "4711",
        "LOCAL_HOST": "2001:db8::2",
        "LOCAL_PORT": "995",
        "PROTO": "TCP",
        "TCPREMOTEIP": "2001:db8::1",
        "TCPREMOTEPORT": "4711",
        "TCPLOCALIP": "2001:db8::2",
        "TCPLOCALPORT": "995",
    }


def test_a_visitor_without_an_address_has_no_variable_of_one() -> None:
    assert program_environment({"PATH": "/bin"}, Visitor("local", 0, "local", 0)) == {"PATH": "/bin"}


def test_what_the_service_was_trusted_with_stays_here() -> None:
    secrets = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY", "WATCHDOG_USEC"]
    found = program_environment({**dict.fromkeys(secrets, "x"), "LANG": "C"}, FROM_AFAR)
    assert not set(secrets) & set(found)
    assert found["LANG"] == "C"


def test_what_is_said_of_a_client_comes_from_nowhere_else() -> None:
    forged = {"SSL_CLIENT_DN": "CN=root", "SSL_CLIENT_VERIFY": "SUCCESS", "REMOTE_HOST": "::1", "TCPREMOTEIP": "::1"}
    assert program_environment(forged, Visitor("local", 0, "local", 0)) == {}


def visited(peer: TLSPeer) -> dict[str, str]:
    found = program_environment({}, Visitor("::1", 1, "::1", 2, peer, "TLSv1.3", "TLS_AES_256_GCM_SHA384"))
    return {name: value for name, value in found.items() if name.startswith("SSL_")}


def test_a_good_certificate() -> None:
    assert visited(TLSPeer(True, "pop.example.org", CERTIFICATE)) == {
        "SSL_PROTOCOL": "TLSv1.3",
        "SSL_CIPHER": "TLS_AES_256_GCM_SHA384",
        "SSL_TLS_SNI": "pop.example.org",
        "SSL_CLIENT_VERIFY": "SUCCESS",
        "SSL_CLIENT_DN": "CN=joe",
        "SSL_CLIENT_I_DN": "CN=a CA",
    }


def test_a_certificate_that_is_not_good_and_none() -> None:
    assert visited(TLSPeer(False, "", CERTIFICATE))["SSL_CLIENT_VERIFY"] == "FAILED"
    assert visited(TLSPeer(False))["SSL_CLIENT_VERIFY"] == "NONE"


def test_no_value_of_a_client_has_a_line_end_or_a_nul() -> None:
    assert visited(TLSPeer(True, "", {"DN": "CN=a\nPATH=/tmp\0b\x7f"}))["SSL_CLIENT_DN"] == "CN=a?PATH=/tmp?b?"
