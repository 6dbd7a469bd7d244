"""The bridge between physics and numerics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TransportCoefficients"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TransportCoefficients:
    r"""All that the operator needs to know of one nuclide.

    They are the coefficients of the steady transport equation (Berezinskii et al. 1990; Strong,
    Moskalenko & Ptuskin 2007, ARNPS 57, 285) for U = p psi, the number density per ln p:

    .. math::

        0 = Q + \nabla\cdot(D\,\nabla U - V U)
            + \frac{\partial}{\partial \ln p}\Big[ g\, p^3 \frac{\partial}{\partial\ln p}\frac{U}{p^3}
            + \big(b + \tfrac13 \nabla\cdot V\big) U \Big] - S\,U

    with :math:`g = D_{pp}/p^2`, the loss rate :math:`b = -\dot p/p` and
    :math:`S = 1/\tau_f + 1/(\gamma\tau_r)`.

    Attributes
    ----------
    D_face : dict axis -> ndarray      on the faces of that axis, one more entry along it [kpc^2/Myr]
    V_face : dict axis -> ndarray      wind velocity on the faces of that axis, broadcastable [kpc/Myr]
    D_center : ndarray                 in the cells, shape of a field or broadcastable [kpc^2/Myr]
    loss_rate : ndarray                b + div V / 3 in the cells, shape of a field [1/Myr]
    reacceleration_face : ndarray or None   g on the momentum faces, one more in p [1/Myr]
    sink_rate : ndarray                S, shape of a field [1/Myr]
    log_momentum : ndarray, (n_p,)     ln p of the cells
    log_momentum_width : ndarray, (n_p,)       d ln p of the cells
    log_momentum_spacing : ndarray, (n_p - 1,) distance of neighbouring ln p
    """

    D_face: dict[str, Array]
    V_face: dict[str, Array]
    D_center: Array
    loss_rate: Array
    reacceleration_face: Array | None
    sink_rate: Array
    log_momentum: Array
    log_momentum_width: Array
    log_momentum_spacing: Array
