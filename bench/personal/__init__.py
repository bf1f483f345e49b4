"""Generated texts with known personal data, for `bench/pii.py`. `make.py` and `peer.py` run in the bench's own toolchain."""
