"""MiniLM from its package: what is alike in meaning lies near, whatever the batch around it."""

import numpy as np

from brewslm.models.sentences import sentence_vectors

TEXTS = ["The parcel never arrived.", "My package was not delivered.", "The film was lovely.", "I liked the movie " * 80]


def test_texts_of_like_meaning_lie_near_and_a_batch_changes_no_vector():
    found = sentence_vectors(TEXTS)
    assert found.shape == (4, 384) and np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    near = found @ found.T
    assert near[0, 1] > 0.6 > 0.3 > near[0, 2] and near[2, 3] > near[0, 3]
    assert np.allclose(found[2], sentence_vectors([TEXTS[2]])[0], atol=1e-5)
