"""Programs that run in a toolchain: each is a file by itself, which imports nothing of ours and is imported by nothing."""
