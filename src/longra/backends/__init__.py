"""Turn a graph into something that runs: `native` (C++ kernels, CPU) and `torch` (the oracle, and GPUs)."""
