"""Pictures of runs: ``f(data, *, ax=None) -> Axes``. No global state: a new figure belongs to whoever called.

Colours mean something (Okabe-Ito): real-time blue, best effort orange, driver VM green, hypervisor grey, miss vermillion, bound
black dashed; each comes with a hatch or marker too.
"""

from .classes import classes
from .credits import credit_curves, credits
from .executors import executors
from .gantt import gantt
from .latency import compare, ecdf, shares, tail
from .ratios import ratio, wilson
from .style import COLOURS, Picture, describe, meaning_of, show, styled
from .verdicts import verdicts

__all__ = ["COLOURS", "Picture", "classes", "compare", "credit_curves", "credits", "describe", "ecdf", "executors", "gantt", "meaning_of",
           "ratio", "shares", "show", "styled", "tail", "verdicts", "wilson"]
