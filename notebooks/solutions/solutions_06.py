"""Solutions of the exercises of notebook 6."""


def must_notify(old, new, event):
    """6.1: event lies in (old, new], on a circle of 2^32."""
    behind, published = (new - event) & 0xFFFFFFFF, (new - old) & 0xFFFFFFFF
    return behind < published


def longest_way(hogs, timeslice, driver_busy, front_busy):
    """6.2: each of the two waits for all others that are awake, if it is awake itself."""
    slices = 0
    if driver_busy:
        slices += hogs + (1 if front_busy else 0)
    if front_busy:
        slices += hogs + (1 if driver_busy else 0)
    return slices * timeslice


def first_waits(after, gap, timeout):
    """6.3: after - 1 more have to come; the timeout is the latest."""
    full = gap * (after - 1)
    return full if timeout is None or full < timeout else timeout


def late(latencies, deadline):
    """6.4: count them."""
    return len([latency for latency in latencies if latency > deadline])


def share_left(front, driver, others, factor):
    """6.5: its weight over the sum of weights."""
    return front / sum((front, factor * driver, others))


SOLUTIONS = {"6.1": must_notify, "6.2": longest_way, "6.3": first_waits, "6.4": late, "6.5": share_left}
