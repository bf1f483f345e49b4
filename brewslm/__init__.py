"""BrewSLM: a team's own data to a small language model that they run themselves, every row accounted for."""

__version__ = "0.1.0"
