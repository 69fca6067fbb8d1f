"""What the window says of a run whose writer is another process, alive or killed."""

from tests.helpers.processes import WRITE, killed, lines, process


def test_that_a_run_that_another_process_trains_is_told_from_one_that_was_interrupted(window, gated, tmp_path):
    path = tmp_path / "run.h5"
    with process(WRITE, gated.path, path) as child:
        lines(child, 2)
        window.open_run(path)
        assert (window.run.status, window.ui.state.text().strip(" ●")) == ("training", "training elsewhere")
        killed(child)
        child.wait()
    window.open_run(path)
    assert (window.run.status, window.ui.state.text().strip(" ●")) == ("interrupted", "interrupted")
