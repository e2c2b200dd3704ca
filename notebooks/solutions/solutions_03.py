"""Solutions of the exercises of notebook 3."""


def share(weights, i):
    """3.1: weights count relative to each other."""
    return weights[i] / sum(weights)


def wait_without_boost(hogs, timeslice):
    """3.2: every hog of the class has its whole time slice first."""
    return hogs * timeslice


def wait_with_boost(ran, ratelimit):
    """3.3: what is left of the ratelimit."""
    return max(0.0, ratelimit - ran)


def settle(credit):
    """3.4: above 300, half of it, and off the active list."""
    return (credit // 2, False) if credit > 300 else (credit, True)


SOLUTIONS = {"3.1": share, "3.2": wait_without_boost, "3.3": wait_with_boost, "3.4": settle}
