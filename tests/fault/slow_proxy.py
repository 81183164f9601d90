#!/usr/bin/env python3
"""usage: slow_proxy.py LISTEN_PORT PORT FILE: a TCP proxy on 127.0.0.1 that is as slow as FILE says now:
"delay MS" holds each piece back, "rate OCTETS" lets so many through in a second, "pass" all at once."""
import asyncio
import sys

HERE = "127.0.0.1"


def slowness(octets):
    with open(sys.argv[3], encoding="ascii") as file:
        mode, _, number = file.read().strip().partition(" ")
    return {"delay": lambda: float(number) / 1000, "rate": lambda: octets / float(number)}.get(mode, lambda: 0)()


async def pump(reader, writer):
    try:
        while piece := await reader.read(65536):
            await asyncio.sleep(slowness(len(piece)))
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def serve(reader, writer):
    try:
        there = await asyncio.open_connection(HERE, int(sys.argv[2]))
    except OSError:
        writer.close()
        return
    await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))


async def main():
    server = await asyncio.start_server(serve, HERE, int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
