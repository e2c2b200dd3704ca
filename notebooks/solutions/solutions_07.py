"""Solutions of the exercises of notebook 7."""


def path_wait(servers):
    """7.1: a blackout of 2(P - Q) in each VM."""
    return 2 * sum(period - budget for budget, period in servers)


def promised(stages):
    """7.2: the sum, if all are there."""
    return -1 if None in stages else sum(stages)


def distance(window, switch, work, loss):
    """7.3: so many may come, so far apart."""
    many = loss // (2 * switch + work)
    return (window + many - 1) // many


def longest_outage(restart, reconnect, period, way):
    """7.4: a packet is lost just before the connection is there."""
    return restart + reconnect + period + way


SOLUTIONS = {"7.1": path_wait, "7.2": promised, "7.3": distance, "7.4": longest_outage}
