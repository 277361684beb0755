"""What the demo's shop sells, as the parts of its events that a click only has to pick."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

SITE = "https://www.acme.example"

TREE = {
    "Men": ("Shoes", "Jackets", "Trousers", "Shirts"),
    "Women": ("Shoes", "Jackets", "Dresses", "Knitwear"),
    "Kids": ("Shoes", "Rainwear", "Toys"),
    "Home": ("Kitchen", "Bedding", "Lamps"),
}

BRANDS = ("Fjellheim", "Nordsol", "Havsvind", None)

PHRASES = (
    "running shoes",
    "rain jacket",
    "wool sweater",
    "winter boots kids",
    "linen shirt",
    "gåva till pappa",
    "lamp",
    "dress size 40",
)

ARTICLES_PER_CATEGORY = 40
VARIANTS_PER_GROUP = 4


@dataclass(frozen=True, slots=True)
class Page:
    """What an event may show.

    Attributes:
        page: the event's `page`.
        shown: the event's `product`, `group` or `category`.
    """

    page: dict[str, Any]
    shown: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything there is to look at; the values are shared by all events and never changed."""

    products: tuple[Page, ...]
    groups: tuple[Page, ...]
    categories: tuple[Page, ...]


def make_catalogue(rng: Random) -> Catalogue:
    """Fill the shelves: some 560 articles in 14 categories, every four of which are one group."""
    paths = [[top, name] for top, names in TREE.items() for name in names]
    categories = [{"id": 101 + place, "path": path} for place, path in enumerate(paths)]
    products = [
        _product(10_001 + place * ARTICLES_PER_CATEGORY + number, path, rng)
        for place, path in enumerate(paths)
        for number in range(ARTICLES_PER_CATEGORY)
    ]
    groups = [
        _group(products[start : start + VARIANTS_PER_GROUP]) for start in range(0, len(products), VARIANTS_PER_GROUP)
    ]
    return Catalogue(
        products=tuple(Page(_page(f"p/{product['id']}", rng), product) for product in products),
        groups=tuple(Page(_page(f"g/{group['id']}", rng), group) for group in groups),
        categories=tuple(Page(_page(f"c/{category['id']}", rng), category) for category in categories),
    )


def _product(number: int, path: list[str], rng: Random) -> dict[str, Any]:
    return {
        "id": number,
        "sku": f"{number}-{rng.choice(('BLK', 'BLU', 'RED', 'WHT'))}",
        "name": f"{path[-1]} no. {number}",
        "brand": rng.choice(BRANDS),
        "categoryPath": path,
        "unitPrice": Decimal(rng.randrange(4_900, 299_900, 50)).scaleb(-2),
    }


def _group(variants: list[dict[str, Any]]) -> dict[str, Any]:
    ids = [product["id"] for product in variants]
    return {"id": ids[0] + 40_000, "name": f"{variants[0]['name']} and variants", "productIds": ids}


def _page(path: str, rng: Random) -> dict[str, Any]:
    """One visitor in five comes from a campaign, two in five from another site."""
    source = rng.choice(("newsletter", "google", "google", None, None))
    campaign = [{"name": "source", "value": source}, {"name": "medium", "value": "email"}]
    return {
        "url": f"{SITE}/{path}",
        "referrer": f"https://www.{source}.example/" if source == "google" else None,
        "utm": campaign if source == "newsletter" else [],
    }
