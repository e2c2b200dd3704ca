"""Exercises of the notebooks, one file a notebook: `check` an answer, ask for a `hint`, draw a personal `variant`."""

from . import (
    credit_scheduler,
    deterministic_io,
    monitor_at_work,
    popek_goldberg,
    real_time_scheduling,
    research_at_scale,
    schedulability,
    split_driver_latency,
    trap_overhead,
    vm_interface,
)
from .base import EXERCISES, Exercise, check, exercise, hint, variant
from .popek_goldberg import NEW_OPCODES

__all__ = ["EXERCISES", "NEW_OPCODES", "Exercise", "check", "credit_scheduler", "deterministic_io", "exercise", "hint", "monitor_at_work",
           "popek_goldberg", "real_time_scheduling", "research_at_scale", "schedulability", "split_driver_latency", "trap_overhead", "variant",
           "vm_interface"]
