"""Studies: many runs over a grid, as one table and one picture beside published figures."""

from sparseviz.study.plan import Plan, Study
from sparseviz.study.report import write_report
from sparseviz.study.work import StudyError, run_study

__all__ = ["Plan", "Study", "StudyError", "run_study", "write_report"]
