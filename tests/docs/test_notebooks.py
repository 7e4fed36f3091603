"""Notebooks run from their first cell to their last."""

import pytest

from .conftest import ROOT

jupytext = pytest.importorskip("jupytext", reason="the extra docs is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra docs is not installed")
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return jupytext.read(request.param)


def test_a_notebook_is_short(notebook):
    assert len(notebook.cells) <= 30


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_cell_runs(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    nbclient.NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(
        output.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )
    assert "trained {'trigger_cls'" in printed
    assert "| arm" in printed
