from urllib.parse import quote

from processor.app import mask_of


def test_every_secret_is_masked_in_every_form() -> None:
    """A vendor or a proxy may repeat what it was sent, also as a URL writes it."""
    key, password = "s3cr3t/+key==", "pass:word/1"
    mask = mask_of(key, password)

    words = mask(f"no {key} and no {quote(key, safe='')} for anna:{quote(password, safe='')}@proxy, {password}")

    assert words == "no **** and no **** for anna:****@proxy, ****"


def test_without_a_secret_nothing_is_masked() -> None:
    """A proxy without a password must not make every text unreadable."""
    assert mask_of("", "")("all is well") == "all is well"
