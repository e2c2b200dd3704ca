"""Pictures of runs, bounds and costs: ``f(data, *, ax=None) -> Axes``. No global state: a new figure belongs to whoever called.

Colours mean something (Okabe-Ito): real-time blue, best effort orange, driver VM green, hypervisor grey, miss vermillion, bound
black dashed; each comes with a hatch or marker too.
"""

from .against import against
from .bars import bars
from .beside_bound import beside_bound
from .board import board
from .classes import classes
from .concepts import concepts
from .credits import credit_curves, credits
from .crossover import crossover
from .executors import executors
from .fronts import fronts
from .gains import gains
from .gantt import gantt
from .held_against import held_against
from .interfaces import interfaces
from .isolation import isolation
from .latency import compare, ecdf, shares, tail
from .medians import medians
from .paths import causes, path_timeline
from .ratios import ratio, wilson
from .residuals import residuals
from .stints import stints
from .style import COLOURS, Picture, describe, meaning_of, show, styled
from .supply_demand import SupplyDemand, curves, supply_demand
from .supply_seen import least_supply, supply_seen
from .throughput import throughput
from .tightness import tightness
from .tradeoff import tradeoff
from .trap_costs import trap_costs
from .two_numbers import two_numbers
from .verdicts import verdicts
from .why import why

__all__ = ["COLOURS", "Picture", "SupplyDemand", "against", "bars", "beside_bound", "board", "causes", "classes", "compare", "concepts",
           "credit_curves", "credits", "crossover", "curves", "describe", "ecdf", "executors", "fronts", "gains", "gantt", "held_against",
           "interfaces", "isolation", "least_supply", "meaning_of", "medians", "path_timeline", "ratio", "residuals", "shares", "show", "stints",
           "styled", "supply_demand", "supply_seen", "tail", "throughput", "tightness", "tradeoff", "trap_costs", "two_numbers", "verdicts", "why",
           "wilson"]
