"""Studies: many runs over a grid, as one table and one picture beside published figures."""

from sparseviz.runs.study.plan import Plan, Study
from sparseviz.runs.study.report import write_report
from sparseviz.runs.study.work import StudyError, run_study

__all__ = ["Plan", "Study", "StudyError", "run_study", "write_report"]
