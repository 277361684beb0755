import ssl
from pathlib import Path

import pytest

from processor.send.trust import trusting
from tests.support.certificates import Authority


def test_a_file_s_authorities_are_added_to_the_machine_s(tmp_path: Path) -> None:
    """Who trusts a company's own authority still trusts the public ones."""
    ours = Authority(tmp_path, "acme")

    context = trusting(str(ours.certificate))

    before = ssl.create_default_context().get_ca_certs()
    subjects = [found["subject"] for found in context.get_ca_certs()]
    assert len(subjects) == len(before) + 1
    assert ((("commonName", "acme"),),) in subjects
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nno\n", b"\x30\x82\x01\x0a"])
def test_a_file_without_a_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    """Rather no start than a destination that believes nobody."""
    file = tmp_path / "ca.pem"
    file.write_bytes(content)

    with pytest.raises(ssl.SSLError):
        trusting(str(file))


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    """The operating system's own error says which it is."""
    with pytest.raises(FileNotFoundError):
        trusting(str(tmp_path / "missing.pem"))
