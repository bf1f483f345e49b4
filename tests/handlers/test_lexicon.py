from brewslm.handlers.lexicon import Lexicon


def found(lexicon, text):
    return [(span["type"], span["text"]) for span in lexicon.spans(text) if text[span["start"] : span["end"]] == span["text"]]


def test_the_longest_known_phrase_wins_and_none_overlap():
    lexicon = Lexicon([("Elm", "Name"), ("Elm Street", "Street"), ("Street", "Type"), ("12", "Number")])
    assert found(lexicon, "12, Elm  Street street Elm") == [("Number", "12"), ("Street", "Elm  Street"), ("Name", "Elm")]


def test_a_phrase_has_the_type_that_it_had_most_often_and_a_part_of_a_word_is_none():
    lexicon = Lexicon([("St", "Type"), ("St", "Type"), ("St", "Name"), (" ", "Nothing")])
    assert found(lexicon, "St. Stone") == [("Type", "St")]


def test_nothing_known_is_nothing_found():
    assert Lexicon([]).spans("12 Elm") == []
