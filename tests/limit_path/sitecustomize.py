"""Python reads this file when it starts with this folder on its path: a heavy child of a test may map only so much memory."""

import os
import resource
import sys

if "brewslm.pipeline.child" in sys.orig_argv:
    most = int(os.environ["CHILD_MAY_MAP"])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
