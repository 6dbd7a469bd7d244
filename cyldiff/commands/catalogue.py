"""What ``cyldiff check`` prints of a catalogue of sources."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["check_catalogue", "is_catalogue"]


def is_catalogue(name: str) -> bool:
    """Whether a name or file is a list of sources and no run; what cannot be read is left to those who say why."""
    from cyldiff import resources
    from cyldiff.errors import DataError

    try:
        file = resources.find("catalogues", name)
        if file.suffix.lower() == ".ecsv":
            return True
        raw = resources.read_toml(file)
    except DataError:
        return False
    return "source" in raw and "run" not in raw


def check_catalogue(config: str, overrides: Sequence[str], *, toml: bool) -> str:
    """Every source with all its keys, defaults filled in; with `toml`, the completed catalogue.

    Raises
    ------
    ConfigError
        with every problem of every source.
    """
    from cyldiff.config.toml import dotted, leaves, shown, to_toml
    from cyldiff.sources.catalogue_file import load_catalogue

    catalogue = load_catalogue(config, overrides, objects=True)
    if toml:
        return to_toml(dict(catalogue.resolved))
    lines = [catalogue.title] if catalogue.title else []
    for row in catalogue.resolved["source"]:
        entries = [(dotted(path), shown(value)) for path, value in leaves(row) if path != ("name",)]
        width = max(len(key) for key, _ in entries)
        lines += ["", f"[source {row['name']}]"]
        lines += [f"  {key:<{width}}  {value}" for key, value in entries if value != "none"]
    missing = [s.name for s in catalogue.sources if not s.is_complete]
    lines += ["", f"{config}: valid, {len(catalogue)} source{'s' if len(catalogue) != 1 else ''}"]
    if missing:
        lines.append(f'without age, history or spectrum, which "cyldiff sources" needs: {", ".join(missing)}')
    lines.append(f"fluxes at the Sun: cyldiff sources {config} --model NAME (cyldiff list models)")
    return "\n".join(lines)
