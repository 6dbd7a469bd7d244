"""From a TOML file to a valid, complete, frozen config; every problem in one message."""
