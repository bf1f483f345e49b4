"""Pictures and recordings: found, decoded once to see that they are whole, kept by the hash of their content, opened."""

from brewslm.media.clips import read_clip
from brewslm.media.facts import FORMATS, MediaKind, Unusable, is_media
from brewslm.media.keep import FOLDER, MediaFolder, forget, named_in
from brewslm.media.opening import MediaChanged, opened_clip, opened_picture
from brewslm.media.pictures import read_picture

__all__ = [
    "FOLDER",
    "FORMATS",
    "MediaChanged",
    "MediaFolder",
    "MediaKind",
    "Unusable",
    "forget",
    "is_media",
    "named_in",
    "opened_clip",
    "opened_picture",
    "read_clip",
    "read_picture",
]
