"""OpenVINO GenAI's part of compare.py: its continuous batching, cache and all else by default.

It reads the GGUF file if it knows all its tensor types. If not, optimum-intel (where it is installed) makes 4-bit weights in
groups of 32 of the file's, with an 8-bit output matrix.
"""

import tempfile
import time

import numpy as np
import openvino
import openvino_genai as genai
from workers.protocol import Setup, serve, setup


def main() -> None:
    """Answer orders until standard input ends."""
    given = setup()
    with tempfile.TemporaryDirectory() as folder:
        try:
            pipe, weights = _pipeline(str(given.model), given), "the GGUF"
        except RuntimeError:
            _convert(given, folder)
            pipe, weights = _pipeline(folder, given), "int4"

    def generate(prompts: list[list[int]], new: int) -> list[list[float]]:
        config = genai.GenerationConfig(max_new_tokens=new, ignore_eos=True, do_sample=False)
        handles = [
            pipe.add_request(number, openvino.Tensor(np.array([prompt], np.int64)), config)
            for number, prompt in enumerate(prompts)
        ]
        moments: list[list[float]] = [[] for _ in prompts]
        while pipe.has_non_finished_requests():
            pipe.step()
            now = time.perf_counter()
            for handle, times in zip(handles, moments, strict=True):
                if handle.can_read():
                    times += [now for output in handle.read().values() for _ in output.generated_ids]
        return moments

    serve(f"openvino-genai {openvino.__version__.partition('-')[0]}, {weights}", generate)


def _pipeline(model: str, given: Setup) -> genai.ContinuousBatchingPipeline:
    scheduling = genai.SchedulerConfig()
    scheduling.max_num_batched_tokens = given.room * given.streams  # prompts whole, as LLMPipeline reads them
    scheduling.enable_prefix_caching = False
    return genai.ContinuousBatchingPipeline(model, scheduling, "CPU", {"INFERENCE_NUM_THREADS": given.threads})


def _convert(given: Setup, folder: str) -> None:
    from optimum.exporters.openvino import main_export
    from optimum.intel import OVConfig, OVWeightQuantizationConfig
    from workers.float_weights import float_folder

    with float_folder(given.model) as weights:
        config = OVConfig(quantization_config=OVWeightQuantizationConfig(bits=4, group_size=32, ratio=1.0))
        main_export(weights, folder, task="text-generation-with-past", ov_config=config)


if __name__ == "__main__":
    main()
