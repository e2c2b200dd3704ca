"""Schedulability analysis."""
from .supply import *
