"""Training's arithmetic, exact and without waste: what transformers and PEFT compute, in fewer and larger steps.

`fuse.fuse` puts them into a model. Each has a test that its values and gradients are the plain ones. These modules, alone in the
house, import torch when they are imported: whoever needs them imports them within a function.
"""
