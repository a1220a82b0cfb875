"""An authority of one's own, and what it signs."""

import ssl
from pathlib import Path

import pytest

from kit.runtime.certificates import Pair, is_good, make_authority, make_certificate

HOSTS = ["nats", "127.0.0.1"]


def test_a_certificate_is_believed_by_who_trusts_its_authority(tmp_path: Path) -> None:
    authority = make_authority("ours")
    pair = make_certificate(authority, HOSTS)
    assert is_good(pair, HOSTS, authority)
    (tmp_path / "pair.pem").write_text(pair.key + pair.certificate)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "pair.pem")
    assert handshake(ssl.create_default_context(cadata=authority.certificate), server, "nats") is None
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(ssl.create_default_context(cadata=authority.certificate), server, "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ssl.create_default_context(cadata=make_authority("another").certificate), server, "nats")


def test_what_is_not_good_is_made_anew() -> None:
    authority, other = make_authority("ours"), make_authority("another")
    pair = make_certificate(authority, HOSTS)
    assert not is_good(pair, HOSTS, other)
    assert not is_good(pair, ["nats"], authority)
    assert not is_good(Pair(pair.certificate, make_certificate(authority, HOSTS).key), HOSTS, authority)
    assert not is_good(Pair("", ""), HOSTS, authority)
    assert not is_good(Pair(pair.certificate[:100], pair.key), HOSTS, authority)


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """Both sides in memory. Raises what the client thinks of it."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=name)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    one.do_handshake()
