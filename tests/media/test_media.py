import base64
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brewslm.media import MediaChanged, MediaFolder, Unusable, opened_clip, opened_picture, read_clip, read_picture
from brewslm.media.facts import format_of
from brewslm.rows import RowReason
from brewslm.settings import settings as ours
from tests.media.made import picture, tone

SOUNDS = {
    "wav": {},
    "flac": {"format": "FLAC"},
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
}
PICTURES = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP", "bmp": "BMP", "tiff": "TIFF"}


def refused(take, *given, reason):
    with pytest.raises(Unusable) as why:
        take(*given)
    assert why.value.reason is reason
    return why.value.detail


def limit(monkeypatch, **to):
    for name, value in to.items():
        monkeypatch.setenv(f"BREWSLM_{name.upper()}", str(value))
    ours.cache_clear()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_each_format_is_known_by_its_content_and_read_and_one_cut_off_is_refused(name):
    content = picture(1, PICTURES[name], (40, 30))
    assert format_of(content, "image") == name
    assert read_picture(content, name).size == (40, 30) and read_picture(content, name).mode == "RGB"
    for share in (0.05, 0.5, 0.95):
        refused(read_picture, content[: int(share * len(content))], name, reason=RowReason.MEDIA_CORRUPT)


@pytest.mark.parametrize("name", SOUNDS)
def test_a_recording_of_each_format_is_read_and_one_cut_off_is_refused(name):
    content = tone(seconds=1, rate=16000, **SOUNDS[name])
    assert format_of(content, "audio") == name
    samples, rate = read_clip(content, name)
    assert rate == 16000 and abs(len(samples) - 16000) < 1200 and samples.dtype == np.float32
    for share in () if name == "mp3" else (0.3, 0.6, 0.99):  # which does not say how long it should be
        refused(read_clip, content[: int(share * len(content))], name, reason=RowReason.MEDIA_CORRUPT)


def test_two_channels_become_one_and_another_rate_keeps_the_tone():
    import io

    import soundfile

    written, at = io.BytesIO(), np.arange(16000) / 16000
    both = np.stack([np.sin(2 * np.pi * 500 * at), np.zeros(16000)], 1)
    soundfile.write(written, both, 16000, format="WAV")
    samples, rate = read_clip(written.getvalue(), "wav", 8000)
    spectrum = np.abs(np.fft.rfft(samples))
    assert rate == 8000 and len(samples) == 8000 and int(spectrum.argmax()) == 500 and 0.45 < np.abs(samples).max() < 0.55


def test_transparency_shows_white_and_a_turned_photograph_is_turned_back():
    import io

    from PIL import Image

    clear = io.BytesIO()
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(clear, "PNG")
    assert read_picture(clear.getvalue(), "png").getpixel((0, 0)) == (255, 255, 255)
    turned, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 2)).save(turned, "JPEG", exif=exif)
    assert read_picture(turned.getvalue(), "jpg").size == (2, 6)


def test_a_picture_that_claims_millions_of_pixels_is_refused_before_it_is_decoded():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    refused(read_picture, bomb, "png", reason=RowReason.MEDIA_TOO_LARGE)


def test_limits_are_those_of_the_settings(monkeypatch, tmp_path):
    (tmp_path / "a.png").write_bytes(picture(size=(12, 8)))
    (tmp_path / "a.wav").write_bytes(tone(seconds=0.2))
    limit(monkeypatch, media_pixels=95, media_seconds=0.1)
    folder = MediaFolder(None, tmp_path)
    assert "12 × 8 pixels" in folder.take("a.png", "image").detail
    assert folder.take("a.wav", "audio").reason is RowReason.MEDIA_TOO_LARGE
    limit(monkeypatch, media_bytes=50, media_pixels=96)
    assert "at most 50" in MediaFolder(None, tmp_path).take("a.png", "image").detail


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"", "image", RowReason.MEDIA_CORRUPT),
        (b"a text", "image", RowReason.MEDIA_FORMAT),
        (tone(), "image", RowReason.MEDIA_FORMAT),
        (picture(), "audio", RowReason.MEDIA_FORMAT),
        (tone(rate=1000), "audio", RowReason.MEDIA_FORMAT),
        (tone(seconds=0), "audio", RowReason.MEDIA_CORRUPT),
        (b"RIFF\x04\x00\x00\x00WAVE", "audio", RowReason.MEDIA_CORRUPT),
        (tone(subtype="FLOAT")[:-4] + b"\xff\xff\xff\x7f", "audio", RowReason.MEDIA_CORRUPT),
    ],
)
def test_what_is_no_such_file_is_refused(content, kind, reason, tmp_path):
    (tmp_path / "file").write_bytes(content)
    assert MediaFolder(None, tmp_path).take("file", kind).reason is reason


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("none.png", RowReason.MEDIA_MISSING),
        ("inside", RowReason.MEDIA_MISSING),
        ("a\0b.png", RowReason.MEDIA_MISSING),
        ("x" * 5000, RowReason.MEDIA_MISSING),
        ("loop.png", RowReason.MEDIA_MISSING),
        ("../outside.png", RowReason.MEDIA_OUTSIDE),
        ("inside/../../outside.png", RowReason.MEDIA_OUTSIDE),
        ("link.png", RowReason.MEDIA_OUTSIDE),
        ("/etc/hostname", RowReason.MEDIA_OUTSIDE),
        ("https://example.org/a.png", RowReason.MEDIA_ADDRESS),
        ("file:///etc/hostname", RowReason.MEDIA_ADDRESS),
        ("data:image/png;base64,iVBOR", RowReason.MEDIA_CORRUPT),
        ("data:image/png;base64,", RowReason.MEDIA_CORRUPT),
    ],
)
def test_a_path_that_leads_nowhere_or_out_is_refused(named, reason, tmp_path):
    source = tmp_path / "source"
    (source / "inside").mkdir(parents=True)
    (tmp_path / "outside.png").write_bytes(picture())
    (source / "link.png").symlink_to(tmp_path / "outside.png")
    (source / "loop.png").symlink_to("loop.png")
    assert MediaFolder(None, source).take(named, "image").reason is reason


def test_a_whole_path_may_lead_into_the_sources_folder_or_one_that_the_settings_name(tmp_path, monkeypatch):
    source, other = tmp_path / "source", tmp_path / "other"
    for folder in (source, other):
        folder.mkdir()
        (folder / "a.png").write_bytes(picture())
    assert isinstance(MediaFolder(None, source).take(str(source / "a.png"), "image"), dict)
    assert MediaFolder(None, source).take(str(other / "a.png"), "image").reason is RowReason.MEDIA_OUTSIDE
    assert MediaFolder(None, None).take("a.png", "image").reason is RowReason.MEDIA_MISSING
    limit(monkeypatch, media_folders=f'["{other}"]')
    assert isinstance(MediaFolder(None, source).take(str(other / "a.png"), "image"), dict)


def test_a_file_is_kept_once_by_its_content_and_opens_as_it_was(tmp_path):
    project, content = tmp_path / "project", tone(rate=16000)
    (tmp_path / "a.wav").write_bytes(content)
    address = "data:audio/wav;base64," + base64.b64encode(content).decode()
    folder = MediaFolder(project, tmp_path)
    taken = folder.take("a.wav", "audio")
    digest = hashlib.sha256(content).hexdigest()
    assert taken == {
        "path": f"media/{digest[:2]}/{digest}.wav", "sha256": digest, "bytes": len(content), "seconds": 0.2, "sample_rate": 16000,
    }  # fmt: skip
    assert folder.take(address, "audio") == taken and folder.written == [project / taken["path"]]
    whole = taken | {"path": str(project / taken["path"])}
    assert len(opened_clip(whole, 8000)) == 1600
    (project / taken["path"]).write_bytes(content[:-1] + b"\0\0")
    with pytest.raises(MediaChanged):
        opened_clip(whole, 8000)
    (project / taken["path"]).unlink()
    with pytest.raises(MediaChanged):
        opened_clip(whole, 8000)


def test_a_dry_run_keeps_nothing_and_says_the_same(tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    dry, kept = MediaFolder(None, tmp_path), MediaFolder(tmp_path / "project", tmp_path)
    assert dry.take("a.png", "image") == kept.take("a.png", "image")
    assert dry.written == [] and opened_picture({"path": str(kept.written[0])}).size == (12, 8)
    kept.take_back()
    assert not list((tmp_path / "project").rglob("*.png"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        [picture(0, name, (9, 7)) for name in PICTURES.values()] + [tone(seconds=0.05, **how) for how in SOUNDS.values()]
    ),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6),
    st.integers(1, 4000),
)
def test_any_bytes_are_facts_or_a_reason(tmp_path: Path, content, changes, length):
    broken = bytearray(content)
    for at, byte in changes:
        broken[at % len(broken)] = byte
    (tmp_path / "file").write_bytes(bytes(broken[:length]))
    for kind in ("image", "audio"):
        taken = MediaFolder(None, tmp_path).take("file", kind)
        assert isinstance(taken, dict) or taken.reason.value.startswith("media_")
