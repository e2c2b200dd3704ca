"""Solutions of notebook 9."""

from math import ceil


def needed(half):
    # The worst share is 1/2: p(1 - p) = 1/4.
    return ceil(round(1.959964**2 / 4 / half**2, 6))


def front(contracts):
    def beaten(one):
        return any(other != one and other[0] <= one[0] and other[1] <= one[1] for other in contracts)

    return sorted({one for one in contracts if not beaten(one)})


def to_do(grid, kept):
    return [point for point in dict.fromkeys(grid) if kept.get(point, "error") == "error"]


def waits(events):
    found, woken = [], {}
    for time, vm, event in events:
        if event == "wake":
            woken[vm] = time
        elif event == "dispatch" and vm in woken:
            found.append(time - woken.pop(vm))
    return sorted(found)


SOLUTIONS = {"9.1": needed, "9.2": front, "9.3": to_do, "9.4": waits}
