"""The troubles that the command line asked for, one after another, with normal flow between them."""

import asyncio

from processor.demo.options import STEADY, DemoOptions
from processor.demo.run import Demo


async def play(demo: Demo, options: DemoOptions) -> None:
    """Make all troubles that were asked for; each has healed before the next one comes."""
    if options.poison:
        demo.poison(options.poison)
    await asyncio.sleep(STEADY)
    if options.outage:
        demo.begin_outage(options.at, options.outage)
        await asyncio.sleep(options.outage)
        demo.end_outage()
        await _steady_again(demo)
    if options.revoke:
        demo.revoke(options.at, options.revoke)
        await asyncio.sleep(options.revoke)
        demo.rotate()
        await _steady_again(demo)
    if options.restart:
        await demo.restart()
        await _steady_again(demo)


async def _steady_again(demo: Demo) -> None:
    await demo.healed()
    await asyncio.sleep(STEADY)
