"""How the two llama.cpp workers set it up."""

import xllamacpp as xlc


def params(model: str, room: int, streams: int, threads: int) -> xlc.CommonParams:
    """Flash attention, all layers on the processor, `room` tokens for each stream."""
    params = xlc.CommonParams()
    params.model.path = model
    params.n_ctx = room * streams  # it deals them out in equal parts
    params.n_parallel = streams
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.flash_attn_type = xlc.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.verbosity = 0
    return params
