"""Simulated cohorts and reader studies for the demonstration and for tests. Everything here is labelled simulated."""

from analytics.simulation.cohort import Cohort, demonstration_cohort, simulate_cohort
from analytics.simulation.reader_study import ReaderStudy, simulate_reader_study

__all__ = ["Cohort", "ReaderStudy", "demonstration_cohort", "simulate_cohort", "simulate_reader_study"]
