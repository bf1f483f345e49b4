"""Column layouts as data come in, each with the mapping that is right for it."""

from bench.layouts.layout import HELD_OUT, Layout, Slice
from bench.layouts.real import real_layouts
from bench.layouts.written import classification, questions, structured, talks_and_pairs, texts_and_media, without_a_mapper

__all__ = ["HELD_OUT", "LAYOUTS", "Layout", "Slice"]

_WRITTEN = (classification, questions, talks_and_pairs, structured, texts_and_media, without_a_mapper)
LAYOUTS: list[Layout] = [layout for module in _WRITTEN for layout in module.LAYOUTS] + real_layouts()
