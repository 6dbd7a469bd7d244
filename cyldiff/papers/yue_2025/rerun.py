"""The rerun of Yue et al. 2025 in order: binaries, boron, protons, anisotropy, gamma rays.

catalogues ─► radial law                                   Tables 1, 2, Eqs. 4-7, Figs. 1, 2
B/C ─► R0 ─► response to the local source ┐
             remnants and binaries ───────┴► fit ─► protons   Fig. 4
                                                ├─► dipole    Fig. 5
                                                └─► gamma     Fig. 6

The fit is made twice: with D of every place for the local source, which is the model that the paper writes down, and
with the closed form of the halo with D at the Sun everywhere, as point sources are often evaluated. Items and figures
are those of the first.
"""

from __future__ import annotations

from cyldiff.fit.point_sources import load_joint
from cyldiff.io.netcdf import write_result
from cyldiff.papers.study import Study
from cyldiff.papers.yue_2025.binaries import rerun_binaries
from cyldiff.papers.yue_2025.boron import rerun_boron
from cyldiff.papers.yue_2025.dipole import closed_form_dipole, rerun_dipole
from cyldiff.papers.yue_2025.gamma import rerun_gamma
from cyldiff.papers.yue_2025.protons import FIT, ProtonFit, fit_protons, local_response
from cyldiff.papers.yue_2025.spectrum import compare_closed_form, rerun_spectrum

__all__ = ["rerun"]

#: of the smoke mode
COARSE = ('grid.use="galaxy-2d-coarse"', "grid.momentum.per_decade=6")


def rerun(study: Study) -> None:
    """Add all items and figures of the paper; results stay in study.results.

    The smoke mode takes coarse grids, R0 as in the run file, and for the local source the closed form alone.
    """
    rerun_binaries(study)
    closed = None
    if study.smoke:
        rerun_boron(study, load_joint(FIT, COARSE).config.physics.diffusion.reference_rigidity)
        fit = fit_protons(COARSE, rounds=1)
    else:
        fit, closed = _full(study)
    write_result(fit.protons, study.results / "protons.nc")
    write_result(fit.local, study.results / "local-source.nc")
    rerun_spectrum(study, fit)
    rerun_dipole(study, fit)
    if closed is not None:
        compare_closed_form(study, closed, fit)
        closed_form_dipole(study, closed)
    rerun_gamma(study, fit)


def _full(study: Study) -> tuple[ProtonFit, ProtonFit]:
    """Fits with D of every place, and with the closed form."""
    reference = rerun_boron(study, 0.0)
    overrides = [f'physics.diffusion.reference_rigidity="{reference:.3f} GV"']
    study.say("response of the Sun to the local source: minutes unless it is kept from before")
    response = local_response(load_joint(FIT, overrides), study.results / "local-response.nc")
    study.say(response.summary())
    return fit_protons(overrides, response=response), fit_protons(overrides)
