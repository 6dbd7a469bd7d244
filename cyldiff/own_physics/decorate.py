"""The decorator that makes a function of the user a kind of a family."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from pydantic import Field, create_model

from cyldiff import registry
from cyldiff.errors import OwnPhysicsError, nearest, quoted
from cyldiff.own_physics.families import FAMILIES, Family
from cyldiff.own_physics.law import Law, OwnLaw
from cyldiff.own_physics.signature import code_of, place_of, read_signature, unit_factor
from cyldiff.own_physics.space import OwnDiffusion
from cyldiff.particles.spallation import Spallation
from cyldiff.particles.species import hint, nuclides
from cyldiff.units import parse_quantity

__all__ = ["own"]

F = TypeVar("F", bound=Callable[..., Any])


def own(
    family: str,
    *,
    units: str | None = None,
    arguments: Mapping[str, str] | None = None,
    kind: str | None = None,
    slope: Callable[..., Any] | None = None,
    symmetric: bool | None = None,
    jumps: Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
    base: str | None = None,
) -> Callable[[F], F]:
    """Make a function a kind of a family, which configs then name: own D, wind, gas, fields, sources, cross sections.

    The function takes what it needs of the arguments of its family, **by these names**, as numpy arrays that
    broadcast. All other keywords are parameters: keys of the config, with the default of the signature, converted
    from whatever unit the config has: lengths come in kpc, rigidities in GV, energies in GeV, like the arguments;
    what has the dimension of the result in `units`; everything else in the unit in which its default is written.
    A default such as ``D0="4e28 cm^2/s"`` is text and the function gets a number: annotate it as ``Any``.

    ===================== ============================================= ==============================
    family                arguments                                     result
    ===================== ============================================= ==============================
    diffusion             rigidity, beta, r, z, axis ("r", "phi", "z")  D, more than 0
    convection            height, distance from the plane               speed away from the plane
    gas                   r, z                                          density of hydrogen nuclei
    magnetic-field        r, z                                          strength of the total field
    radiation-field       r, z                                          energy density of a greybody
    source-distribution   r, observer_radius; z                         surface density (with z: density), any scale
    injection             rigidity                                      dN/dR, any scale
    inelastic             kinetic_energy, Z, A, nuclide, target         cross section, for A > 1
    spallation            kinetic_energy, parent, child, target         cumulative cross section
    ===================== ============================================= ==============================

    Energies are per nucleon; nuclides and targets ("H", "He") are names. Results must be finite and, D apart,
    0 or more; they are checked at every call, and over the whole box when a config is loaded.

    Parameters
    ----------
    family : one of those above
    units : of the result; none for source-distribution and injection
    arguments : units the function wants instead, by name: ``{"r": "pc"}`` holds for all lengths that are not named
        themselves. A parameter without a default is a quantity if its unit is here, else a pure number
    kind : name in configs; default the name of the function, with dashes
    slope : of a diffusion law: d ln D / d ln R at low rigidity as a function of r, z and the parameters, for the
        reacceleration. Without it: a central difference at 1 GV and beta = 1, exact for a power law
    symmetric : whether D or the gas is even in z; False refuses half-space grids. Default True, which is checked
    jumps : heights at which D or the gas jumps, where a face of the grid belongs: lengths or names of parameters
    channels : of a spallation law, e.g. ``["C12->B11"]``; the others are those of `base`
    base : shipped set, "evoli-2019" (default), "webber-2003" or "wks-1998"

    Returns
    -------
    callable
        the decorator; it returns the function as it was.

    Raises
    ------
    OwnPhysicsError
        for an unknown family, argument or unit, a name that is taken, or an option of another family. Where a
        config is loaded or the law is called: for results of another shape, not finite or of the wrong sign, and
        for exceptions in the function, with their line.
    """
    usual = _family(family)
    options = {"slope": slope, "symmetric": symmetric, "jumps": jumps, "channels": channels, "base": base}

    def decorate(function: F) -> F:
        if not inspect.isfunction(function):
            raise OwnPhysicsError(f"{quoted(function)} is no function defined with def; call it from one")
        name = kind if kind is not None else function.__name__.strip("_").replace("_", "-")
        title = f'{family} "{name}"'
        try:
            if not isinstance(name, str) or not re.fullmatch(r"[\w.+-]+", name):
                raise OwnPhysicsError(f'{quoted(name)} is no name of a kind; pass one, e.g. kind="my-law"')
            chosen = _variant(usual, function)
            _check_options(chosen, options)
            law = _law(function, chosen, units, arguments or {}, title)
            said: tuple[Any, ...] = (units, arguments, symmetric, jumps, channels, base)
            said = (*said, code_of(slope, "")) if slope is not None else said
            law = replace(law, code=code_of(function, repr(said)))
            cls = _class(chosen, family, name, law)
            _set_options(cls, options, title)
        except OwnPhysicsError as error:
            raise OwnPhysicsError(f"{title} ({place_of(function)}): {error}") from None
        registry.register(family, name)(cls)
        return function

    return decorate


def _variant(family: Family, function: Callable[..., Any]) -> Family:
    """The family itself, or that of functions of r and z."""
    if family.volume is not None and "z" in inspect.signature(function).parameters:
        return family.volume
    return family


def _check_options(family: Family, options: Mapping[str, Any]) -> None:
    wrong = [name for name, value in options.items() if value is not None and name not in family.options]
    if wrong:
        where = ", because it takes no z" if family.volume is not None else " of this family"
        raise OwnPhysicsError(f"{', '.join(wrong)}: no option of a function{where}")
    if "channels" in family.options and not options["channels"]:
        raise OwnPhysicsError('channels is missing; expected e.g. channels=["C12->B11"]')


def _family(name: str) -> Family:
    if name not in FAMILIES:
        hint = nearest(str(name), FAMILIES)
        raise OwnPhysicsError(
            f"the family {quoted(name)} takes no own function; known: {', '.join(FAMILIES)}{hint}"
        )
    return FAMILIES[name]


def _law(
    function: Callable[..., Any], family: Family, units: str | None, arguments: Mapping[str, str], title: str
) -> Law:
    """The function with its signature read and its unit known."""
    factor = 1.0
    if not isinstance(arguments, Mapping):
        raise OwnPhysicsError(
            f'arguments: found {quoted(arguments)}; expected names and units, {{"r": "pc"}}'
        )
    if family.dimension:
        if units is None:
            raise OwnPhysicsError(f"units is missing: the unit of {family.result}, a {family.dimension}")
        factor = unit_factor(units, family.dimension, f"units of {family.result}")
    elif units not in (None, "", "1"):
        raise OwnPhysicsError(f"units: only the shape of {family.result} counts; leave it out")
    signature = read_signature(
        function, family.arguments, units=arguments, base=family.base, result=(family.dimension, factor)
    )
    return Law(
        title,
        function,
        signature,
        family.result,
        units or "",
        factor,
        zero=family.zero,
        place=place_of(function),
    )


def _class(family: Family, name: str, kind: str, law: Law) -> Any:
    """The pydantic class of the kind, with the parameters as its fields."""
    function = law.function
    there = registry.registered(name, kind)
    again = there is not None and (there.__module__, there.__qualname__) == (
        function.__module__,
        function.__qualname__,
    )
    if there is not None and not (again and issubclass(there, OwnLaw)):
        raise OwnPhysicsError(
            f'the kind "{kind}" of {name} is there already ({there.__module__}.{there.__qualname__}); '
            'expected another name of the function, or kind="…"'
        )
    fields: dict[str, Any] = {p.name: (p.annotation, p.field) for p in law.signature.parameters}
    fields["kind"] = (Literal[kind], kind)
    fields["code"] = (
        str,
        Field(default=law.code, description="checksum of the function; written by cyldiff"),
    )
    made = create_model(function.__name__, __base__=family.base, __module__=function.__module__, **fields)
    return _named(made, family, law, name)


def _named(cls: Any, family: Family, law: Law, name: str) -> Any:
    """The class with what belongs to the class itself."""
    function = law.function
    cls.__qualname__ = function.__qualname__
    cls.__doc__ = function.__doc__ or f"{family.result} by the function {function.__name__} ({law.place})."
    cls.law, cls.family = law, name
    return cls


def _set_options(cls: Any, options: Mapping[str, Any], title: str) -> None:
    if options["symmetric"] is not None:
        cls.even = bool(options["symmetric"])
    if options["jumps"] is not None:
        cls.jumps = _several(options["jumps"])
        _check_jumps(cls)
    if options["slope"] is not None:
        cls.slope_law = _slope(cls, options["slope"], title)
    if options["channels"] is not None:
        cls.channels = tuple(_channel(text) for text in _several(options["channels"]))
        cls.set_name = _base_set(options["base"])


def _several(value: Any) -> tuple[Any, ...]:
    """One text counts as a list of one."""
    return (value,) if isinstance(value, str) else tuple(value)


def _check_jumps(cls: Any) -> None:
    lengths = [p.name for p in cls.law.signature.parameters if p.factor is not None]
    for text in cls.jumps:
        if text in lengths:
            continue
        try:
            parse_quantity(text, "length")
        except ValueError as error:
            raise OwnPhysicsError(f"jumps: {error}; or the name of a parameter") from None


def _slope(cls: type[OwnDiffusion], function: Callable[..., Any], title: str) -> Law:
    """The second function of a diffusion law; its keywords are those of the first."""
    place = {name: FAMILIES["diffusion"].arguments[name] for name in ("r", "z")}
    signature = read_signature(function, place, units={}, base=cls.__mro__[1])
    shared = {p.name: p for p in cls.law.signature.parameters}
    for parameter in signature.parameters:
        if parameter.name not in shared:
            raise OwnPhysicsError(
                f'slope: "{parameter.name}" is no parameter of the law{nearest(parameter.name, shared)}'
            )
    signature = replace(signature, parameters=tuple(shared[p.name] for p in signature.parameters))
    return Law(title, function, signature, "the slope of D", signed=True, place=place_of(function))


def _channel(text: object) -> tuple[str, str]:
    ends = [end.strip() for end in text.split("->")] if isinstance(text, str) else []
    if len(ends) != 2:
        raise OwnPhysicsError(f'channels: {quoted(text)} is no channel; expected e.g. "C12->B11"')
    unknown = [end for end in ends if end not in nuclides()]
    if unknown:
        raise OwnPhysicsError(f"channels: {quoted(unknown[0])} is no nuclide{hint(unknown[0])}")
    return ends[0], ends[1]


def _base_set(name: str | None) -> str:
    shipped = {k: c for k, c in registry.kinds("spallation").items() if not issubclass(c, OwnLaw)}
    known = [k for k, c in shipped.items() if issubclass(c, Spallation)]
    wanted = name or "evoli-2019"
    if wanted not in known:
        raise OwnPhysicsError(
            f"base: {quoted(wanted)} unknown; known: {', '.join(known)}{nearest(wanted, known)}"
        )
    return str(shipped[wanted].set_name)
