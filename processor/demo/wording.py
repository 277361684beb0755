"""How the demo writes numbers."""


def grouped(number: int) -> str:
    """A number as people read it: `48 210`."""
    return f"{number:,}".replace(",", " ")
