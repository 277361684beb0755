"""The catalogue of vendors: one file each. A third one is a new file and a line in `VENDORS`."""

from processor.destinations import retail_rocket, voyado
from processor.destinations.vendor import Vendor

VENDORS: dict[str, Vendor] = {vendor.name: vendor for vendor in (voyado.VENDOR, retail_rocket.VENDOR)}
