"""Time as far as the machine gave any: what a busy one keeps from those who wait is not the server's doing.
Standard library only."""
import threading
import time

NAP_S = 0.005


class Withheld(threading.Thread):
    """Sleeps, and adds up by how much it is woken too late."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seconds = 0.0
        self.start()

    def run(self):
        while True:
            began = time.monotonic()
            time.sleep(NAP_S)
            self.seconds += time.monotonic() - began - NAP_S


WITHHELD = Withheld()


class Stopwatch:
    """From its making on. On a quiet machine `seconds` are those of the clock, but for a hundredth."""

    def __init__(self):
        self.began, self.withheld = time.monotonic(), WITHHELD.seconds

    def seconds(self):
        return max(0.0, time.monotonic() - self.began - (WITHHELD.seconds - self.withheld))


def until(holds, seconds=60):
    """What `holds` returns, once it is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise AssertionError("it does not come true")
        time.sleep(0.02)
    return found
