"""Small words that running text of a language can't do without: Gopher's eight for English, and as many for others."""

STOP_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(["the", "be", "to", "of", "and", "that", "have", "with"]),
    "de": frozenset(["der", "die", "das", "und", "ist", "zu", "mit", "nicht", "den", "von"]),
    "fr": frozenset(["le", "la", "les", "de", "et", "est", "que", "pour", "dans", "un"]),
    "es": frozenset(["el", "la", "los", "de", "que", "y", "en", "es", "por", "con"]),
    "it": frozenset(["il", "la", "di", "che", "e", "è", "per", "non", "con", "del"]),
    "pt": frozenset(["o", "a", "de", "que", "e", "em", "é", "para", "não", "com"]),
    "nl": frozenset(["de", "het", "een", "van", "en", "is", "dat", "niet", "met", "voor"]),
}
