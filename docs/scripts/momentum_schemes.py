"""One zone, losses, escape, fragmentation, with and without reacceleration: errors of the momentum schemes.

Prints the table of docs/decisions/0001-momentum-flux.md. A zone is a slab whose spatial diffusion is
switched off; escape is a sink 1/tau(R). The reference is the same equation on 24 times as many energies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.operators.schemes import MOMENTUM_SCHEMES
from cyldiff.solve.steady import solve_direct
from cyldiff.transport.coefficients import TransportCoefficients
from cyldiff.transport.losses import momentum_loss_rate

Array = NDArray[np.float64]
#: mean gas of a particle that lives mostly in the halo, and of one kept in the disc [cm^-3]
HALO, DISC = 0.05, 1.0


def spectrum(scheme: str, n_p: int, gas: float, alfven: float) -> tuple[Array, Array]:
    """Energies and N(T) of 12C in one zone."""
    energy = energy_grid(0.01, 1e6, (n_p - 1) / 8.0)
    grid = Grid.build(
        kinetic_energy=energy, radius=20.0, half_height=1.0, n_r=1, n_z=5, half_space=True, slab_at=8.5
    )
    nucleus = Kinematics(energy, 6, 12, const.ATOMIC_MASS_UNIT)
    one = np.ones((1, 5))
    loss = momentum_loss_rate(nucleus, neutral=gas * one, ionised=0.02 * gas * one, helium_fraction=0.11)
    escape = (nucleus.rigidity / 4.0) ** 0.4 * nucleus.beta / 60.0
    sink = escape + gas * 280.0 * const.MILLIBARN_DENSITY_RATE * nucleus.beta
    faces = nucleus.at(grid.kinetic_energy_faces)
    g = None
    if alfven > 0.0:
        D = 0.15 * faces.beta * (faces.rigidity / 4.0) ** 0.4
        rate = 0.24 * (alfven * 1.022712e-3) ** 2 / D
        g = np.broadcast_to(rate[:, None, None], (n_p + 1, 1, 5))
    tiny = np.full((n_p, 1, 1), 1e-30)
    coefficients = TransportCoefficients(
        D_face={"r": tiny, "z": tiny},
        V_face={},
        D_center=tiny,
        loss_rate=loss,
        reacceleration_face=g,
        sink_rate=np.broadcast_to(sink[:, None, None], grid.shape),
        log_momentum=np.log(nucleus.momentum),
        log_momentum_width=nucleus.dlnp_dlnT * grid.log_step,
        log_momentum_spacing=np.diff(np.log(nucleus.momentum)),
    )
    source = nucleus.momentum_per_energy * nucleus.rigidity**-2.35 / nucleus.beta
    operator = TransportOperator.build(grid, coefficients, scheme=scheme)
    solution = solve_direct(operator, np.broadcast_to(source[:, None, None], grid.shape))
    return energy, solution[:, 0, 0] / nucleus.momentum_per_energy


def main() -> None:
    """Print the errors between 0.05 and 1e4 GeV/n."""
    print("| gas | v_A | scheme | 49 | 97 | 193 |\n|---|---|---|---|---|---|")
    for gas in (HALO, DISC):
        for alfven in (0.0, 30.0):
            fine_energy, fine = spectrum("third-order", 96 * 24 + 1, gas, alfven)
            for scheme in MOMENTUM_SCHEMES:
                cells = []
                for n_p in (49, 97, 193):
                    energy, n = spectrum(scheme, n_p, gas, alfven)
                    reference = np.exp(np.interp(np.log(energy), np.log(fine_energy), np.log(fine)))
                    use = (energy > 0.05) & (energy < 1e4)
                    error = (n / reference - 1.0)[use]
                    cells.append(f"{np.abs(error).max():.2g} / {np.sqrt(np.mean(error**2)):.2g}")
                print(f"| {gas:g} | {alfven:g} | {scheme} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
